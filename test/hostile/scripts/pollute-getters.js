// attack: getters on globalThis for all that the prelude could read
// expect: ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const { defineProperty } = Object;
    for (const name of [
      'JSON',
      'Object',
      'Array',
      'String',
      'Number',
      'BigInt',
      'Reflect',
      'Map',
      'Promise',
      'Error',
      'TypeError',
      'RangeError',
      'Symbol',
    ])
      defineProperty(globalThis, name, {
        configurable: true,
        get() {
          for (;;);
        },
      });
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
