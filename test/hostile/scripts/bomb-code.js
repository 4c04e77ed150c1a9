// attack: source text without end
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (let i = 0; ; i++) (0, eval)(`(function f${i}() { ${'x = 1;'.repeat(10_000)} })`);
  },
};
