// attack: a replacement that grows a string to its limit
// expect: error|timeout|killed|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    'a'.repeat(2 ** 20).replace(/a/g, '$`');
  },
};
