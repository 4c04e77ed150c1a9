// attack: it returns twenty thousand updates of containers that do not exist
// expect: ok|error|refused|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    return { update: Array.from({ length: 20_000 }, (_, i) => ({ containerId: `c${i}`, linux: { resources: { cpu: { shares: 2 } } } })) };
  },
};
