// attack: an array of a thousand million zeros
// expect: killed|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    new Array(1e9).fill(0);
  },
};
