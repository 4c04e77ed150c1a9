// attack: promises without end
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const kept = [];
    for (;;) kept.push(new Promise(() => {}).then(() => {}));
  },
};
