// attack: it throws nothing
// expect: error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    throw undefined;
  },
};
