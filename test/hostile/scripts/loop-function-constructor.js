// attack: a loop inside a function made of text
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    new Function('for (;;);')();
  },
};
