// attack: concat of things that say that they are 2^53 long
// expect: refused|killed|timeout|error|memory
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const long = { length: 2 ** 53 - 1, [Symbol.isConcatSpreadable]: true };
    return [].concat(long, long);
  },
};
