// attack: it returns a result of a hundred megabytes
// expect: error|memory|timeout|killed
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return { adjust: { env: { A: 'x'.repeat(100 << 20) } } };
  },
};
