// attack: a promise that never settles
// expect: pending
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return new Promise(() => {});
  },
};
