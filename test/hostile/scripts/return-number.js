// attack: it returns a number
// expect: refused|ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return 7;
  },
};
