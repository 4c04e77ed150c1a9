// attack: a thenable that never calls back
// expect: pending
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return { then() {} };
  },
};
