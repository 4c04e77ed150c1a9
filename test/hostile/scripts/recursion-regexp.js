// attack: a regular expression nested a hundred thousand times
// expect: error|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    new RegExp('('.repeat(100_000) + ')'.repeat(100_000)).test('x');
  },
};
