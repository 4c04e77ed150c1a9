// attack: texts that double
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    let s = 'x';
    const kept = [];
    for (;;) {
      s = s.length < 2 ** 28 ? s + s : 'x';
      kept.push(s.toUpperCase());
    }
  },
};
