// attack: a typed array sorted by a function that lies
// expect: killed|timeout|error|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    new Float64Array(1e6).sort(() => Math.random() - 0.5);
    for (;;) new Float64Array(1e6).sort(() => 1);
  },
};
