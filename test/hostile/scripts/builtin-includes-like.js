// attack: includes over an object that says that it is 2^53 long
// expect: killed|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 7);
  },
};
