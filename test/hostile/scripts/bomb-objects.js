// attack: objects without end
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const kept = [];
    for (;;) kept.push({ a: [1, 2, 3] });
  },
};
