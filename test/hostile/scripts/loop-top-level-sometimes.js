// attack: a top level that loops in every second evaluation
// expect: load|timeout|error|killed|ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

if (Math.random() < 0.5) for (;;);
export default { createContainer() {} };
