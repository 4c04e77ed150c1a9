// attack: regular expressions without end
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const kept = [];
    for (let i = 0; ; i++) {
      kept.push(new RegExp(`(a|b|c){1,1000}${i}`));
      kept.at(-1).test('abc'.repeat(10));
    }
  },
};
