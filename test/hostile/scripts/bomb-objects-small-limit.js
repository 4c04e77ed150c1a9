// attack: objects without end, in the smallest heap
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500, "memory": "16Mi"}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const kept = [];
    for (;;) kept.push({ a: [1, 2, 3] });
  },
};
