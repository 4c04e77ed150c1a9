// attack: an object with keys without end
// expect: timeout|memory|error|killed
// settings: {"timeout": 1500}
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const o = {};
    for (let i = 0; ; i++) o[`k${i}`] = i;
  },
};
