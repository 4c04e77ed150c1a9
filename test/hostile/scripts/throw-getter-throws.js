// attack: it throws an object whose every property throws
// expect: error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    throw new Proxy(
      {},
      {
        get() {
          throw new Error('inner');
        },
      },
    );
  },
};
