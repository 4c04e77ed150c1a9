// attack: a loop that answers its own end with another loop
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (;;) {
      try {
        for (;;);
      } finally {
        continue;
      }
    }
  },
};
