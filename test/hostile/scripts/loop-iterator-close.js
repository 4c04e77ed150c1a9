// attack: an iterator that loops when it is closed
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const endless = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return() {
          for (;;);
        },
      }),
    };
    const [first] = endless;
    return first;
  },
};
