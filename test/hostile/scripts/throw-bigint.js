// attack: it throws a number
// expect: error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    throw 10n ** 100n;
  },
};
