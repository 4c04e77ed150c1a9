// attack: a result that is a Proxy whose every property loops
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return new Proxy(
      {},
      {
        get() {
          for (;;);
        },
      },
    );
  },
};
