// attack: a value of a hundred megabytes in the store
// expect: error|memory|timeout|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    nri.state.set('k', 'x'.repeat(100 << 20));
  },
};
