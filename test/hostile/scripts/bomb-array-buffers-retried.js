// attack: buffers too large to be had, asked for again and again
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (;;) {
      try {
        new Uint8Array(1e9).fill(1);
      } catch {}
    }
  },
};
