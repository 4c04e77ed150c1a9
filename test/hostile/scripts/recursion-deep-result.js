// attack: a result that is nested a hundred thousand times
// expect: error|refused
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    let deep = {};
    for (let i = 0; i < 100_000; i++) deep = { deep };
    return { adjust: deep };
  },
};
