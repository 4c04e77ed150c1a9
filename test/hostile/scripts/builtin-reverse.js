// attack: reverse of four thousand million holes
// expect: killed|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const a = [];
    a[4294967294] = 1;
    a.reverse();
  },
};
