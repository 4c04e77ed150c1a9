// attack: an argument of a look-up that loops when it is made a string
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    nri.pod({
      toString() {
        for (;;);
      },
    });
  },
};
