// attack: it throws an error whose message loops
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    throw Object.defineProperty(new Error('x'), 'message', {
      get() {
        for (;;);
      },
    });
  },
};
