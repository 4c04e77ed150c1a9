// attack: a rejection that nobody handles, of a value that loops when it is read
// expect: ok|killed|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    Promise.reject(
      Object.defineProperty(new Error('x'), 'stack', {
        get() {
          for (;;);
        },
      }),
    );
    Promise.reject({
      get message() {
        for (;;);
      },
      toString() {
        for (;;);
      },
    });
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
