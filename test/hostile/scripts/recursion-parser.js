// attack: source text nested a hundred thousand times
// expect: error|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    (0, eval)('['.repeat(100_000) + ']'.repeat(100_000));
  },
};
