// attack: an async generator that never ends
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  async createContainer() {
    async function* numbers() {
      for (let n = 0; ; n++) yield n;
    }
    for await (const _ of numbers());
  },
};
