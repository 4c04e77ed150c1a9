// attack: it returns a result that holds itself
// expect: error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const o = { adjust: {} };
    o.adjust.o = o;
    return o;
  },
};
