// attack: it throws an error whose texts are something else every time they are read
// expect: error|memory|timeout|killed
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    let reads = 0;
    throw {
      get message() {
        reads += 1;
        return reads % 2 ? 'text' : { slice: () => 'x'.repeat(50 << 20) };
      },
    };
  },
};
