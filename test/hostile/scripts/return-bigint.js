// attack: it returns a number that no field can hold
// expect: refused
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return { adjust: { linux: { resources: { memory: { limit: 10n ** 30n }, cpu: { quota: -(2n ** 64n) } } } } };
  },
};
