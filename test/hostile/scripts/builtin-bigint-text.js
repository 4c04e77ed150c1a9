// attack: a number of twenty million bits in decimal
// expect: killed|timeout|error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return ((1n << 20_000_000n) - 1n).toString();
  },
};
