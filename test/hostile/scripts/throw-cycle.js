// attack: it throws an object that holds itself
// expect: error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const o = {};
    o.o = o;
    throw o;
  },
};
