// attack: a result with a getter that loops
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return {
      get adjust() {
        for (;;);
      },
    };
  },
};
