// attack: a result whose then loops
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return {
      then() {
        for (;;);
      },
    };
  },
};
