// attack: a getter that reads itself
// expect: error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const o = {
      get x() {
        return this.x;
      },
    };
    return o.x;
  },
};
