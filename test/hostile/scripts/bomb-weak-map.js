// attack: a WeakMap without end
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const map = new WeakMap();
    const kept = [];
    for (;;) {
      const key = {};
      kept.push(key);
      map.set(key, new Array(100).fill(key));
    }
  },
};
