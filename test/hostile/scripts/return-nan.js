// attack: it returns numbers that are none
// expect: refused
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return { adjust: { linux: { resources: { memory: { limit: NaN }, cpu: { shares: -1, quota: Infinity, period: 0.5 } } } } };
  },
};
