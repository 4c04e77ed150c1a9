// attack: an array of a thousand million from a length
// expect: killed|memory|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    Array.from({ length: 1e9 });
  },
};
