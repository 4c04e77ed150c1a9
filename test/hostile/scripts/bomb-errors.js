// attack: errors with deep stacks without end
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    Error.stackTraceLimit = 1e6;
    const kept = [];
    const deep = n => (n === 0 ? kept.push(new Error('x')) : deep(n - 1));
    for (;;) deep(2000);
  },
};
