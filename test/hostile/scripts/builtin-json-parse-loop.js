// attack: a loop over megabytes of JSON
// expect: killed|timeout|memory|error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const text = JSON.stringify(new Array(100_000).fill({ a: 1 }));
    for (;;) JSON.parse(text);
  },
};
