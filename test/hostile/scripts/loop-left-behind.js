// attack: a promise left behind that loops after the answer
// expect: timeout|ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    Promise.resolve().then(() => {
      for (;;);
    });
    return {};
  },
};
