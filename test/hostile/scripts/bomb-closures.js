// attack: closures without end
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    let f = () => 0;
    for (;;) {
      const g = f;
      const load = new Array(100).fill(1);
      f = () => [g, load];
    }
  },
};
