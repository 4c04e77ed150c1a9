// attack: a loop inside eval
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    (0, eval)('for (;;);');
  },
};
