// attack: ten thousand unsolicited updates
// expect: ok|refused|error|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    nri.update(Array.from({ length: 10_000 }, (_, i) => ({ containerId: `c${i}`, linux: { resources: { cpu: { shares: 2 } } } })));
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
