// attack: recursion that doubles at every return
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const f = () => {
      try {
        f();
      } finally {
        f();
      }
    };
    f();
  },
};
