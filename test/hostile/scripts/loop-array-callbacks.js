// attack: an array method whose callback keeps the array growing
// expect: timeout|error|memory|killed
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const a = [1];
    a.forEach(n => a.push(n));
    for (let i = 0; i < a.length; i++) a.push(i);
  },
};
