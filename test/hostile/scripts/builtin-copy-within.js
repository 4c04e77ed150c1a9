// attack: copyWithin over four thousand million holes
// expect: killed|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const a = [];
    a.length = 2 ** 32 - 1;
    a[5] = 1;
    a.copyWithin(0, 1);
  },
};
