// attack: WebAssembly memory, by way of every realm that can be had
// expect: error
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const { Memory } = globalThis.WebAssembly ?? new Function('return WebAssembly')();
    const kept = [];
    for (;;) kept.push(new Memory({ initial: 10_000 }));
  },
};
