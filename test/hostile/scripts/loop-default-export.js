// attack: a default export whose handler is a getter that loops
// expect: load|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  get createContainer() {
    for (;;);
  },
};
