// attack: it throws an error with a message of fifty megabytes
// expect: error|memory|timeout|killed
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    throw new Error('x'.repeat(50 << 20));
  },
};
