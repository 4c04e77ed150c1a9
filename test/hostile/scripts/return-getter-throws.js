// attack: it returns a result with a getter that throws
// expect: error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return {
      get adjust() {
        throw new Error('x');
      },
    };
  },
};
