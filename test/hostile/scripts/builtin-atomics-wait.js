// attack: a wait for a signal that never comes
// expect: error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
};
