// attack: a top level that loops
// expect: load
// biome-ignore-all lint: it is an attack
// @ts-nocheck

for (;;);
export default { createContainer() {} };
