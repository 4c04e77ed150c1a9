// attack: a top level that eats memory
// expect: load
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export const kept = new Array(1e9).fill(0);
export default { createContainer() {} };
