// attack: log fields that are nested ten thousand times
// expect: ok|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    let deep = {};
    for (let i = 0; i < 10_000; i++) deep = { deep };
    for (let i = 0; i < 100; i++) nri.log.info('x', deep);
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
