// attack: a product of two numbers of twenty million bits
// expect: killed|timeout|error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    let n = (1n << 20_000_000n) - 1n;
    for (;;) n = (n * n) & ((1n << 20_000_000n) - 1n);
  },
};
