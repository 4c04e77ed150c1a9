// attack: a regular expression that backtracks
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    /^(a+)+$/.test(`${'a'.repeat(40)}b`);
  },
};
