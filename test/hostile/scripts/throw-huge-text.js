// attack: it throws a hundred megabytes
// expect: error|memory|timeout|killed
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    throw 'x'.repeat(100 << 20);
  },
};
