// attack: a power with a hundred million digits
// expect: killed|timeout|error|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return String(3n ** 100_000_000n);
  },
};
