// attack: unsolicited updates of the container that is being created
// expect: ok|refused
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    for (let i = 0; i < 100; i++) nri.update({ containerId: event.container.id, linux: { resources: { cpu: { shares: 2 + i } } } });
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
