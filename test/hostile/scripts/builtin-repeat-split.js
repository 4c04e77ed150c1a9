// attack: half a gigabyte of text taken apart
// expect: killed|timeout|error|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    'a'.repeat(2 ** 29 - 100).split('');
  },
};
