// attack: a generator that never ends
// expect: timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    function* numbers() {
      for (let n = 0; ; n++) yield n;
    }
    for (const _ of numbers());
  },
};
