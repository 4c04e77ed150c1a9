// attack: a top level that throws something that loops
// expect: load
// biome-ignore-all lint: it is an attack
// @ts-nocheck

throw {
  get name() {
    for (;;);
  },
};
export default { createContainer() {} };
