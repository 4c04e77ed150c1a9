// attack: an async loop that never leaves the microtask queue
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  async createContainer() {
    for (;;) await null;
  },
};
