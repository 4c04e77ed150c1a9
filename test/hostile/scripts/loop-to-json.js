// attack: a result whose toJSON loops
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return {
      toJSON() {
        for (;;);
      },
    };
  },
};
