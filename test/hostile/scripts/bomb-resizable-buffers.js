// attack: buffers that grow after they were made
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const kept = [];
    for (;;) {
      const buffer = new ArrayBuffer(0, { maxByteLength: 1 << 28 });
      buffer.resize(1 << 28);
      new Uint8Array(buffer).fill(1);
      kept.push(buffer);
    }
  },
};
