// attack: a function that calls itself
// expect: error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const f = () => f();
    return f();
  },
};
