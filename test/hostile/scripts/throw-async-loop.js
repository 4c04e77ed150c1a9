// attack: an async rejection with a value that loops
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  async createContainer() {
    throw {
      get stack() {
        for (;;);
      },
    };
  },
};
