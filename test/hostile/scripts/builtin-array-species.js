// attack: a method that is made to build arrays of a chosen length
// expect: killed|timeout|error|memory
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    class Long extends Array {
      static get [Symbol.species]() {
        return function () {
          return new Array(4e8).fill(7);
        };
      }
    }
    for (;;) Long.of(1, 2, 3).map(n => n);
  },
};
