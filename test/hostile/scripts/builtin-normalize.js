// attack: a quarter of a gigabyte of text normalised
// expect: killed|timeout|error|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    '\u1E9B\u0323'.repeat(2 ** 26).normalize('NFKD');
  },
};
