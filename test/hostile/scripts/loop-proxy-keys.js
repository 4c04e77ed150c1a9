// attack: a result that is a Proxy whose key list loops
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return new Proxy(
      {},
      {
        ownKeys() {
          for (;;);
        },
      },
    );
  },
};
