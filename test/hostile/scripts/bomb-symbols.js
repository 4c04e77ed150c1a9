// attack: registered symbols, which are the isolate's and not the context's
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (let i = 0; ; i++) Symbol.for(`symbol ${i} ${'x'.repeat(1000)}`);
  },
};
