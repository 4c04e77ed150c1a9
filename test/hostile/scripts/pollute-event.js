// attack: the event and nri changed for those that come after
// expect: ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    if ({}.polluted || globalThis.polluted) return { adjust: { env: { ESCAPED: 'from an earlier event' } } };
    globalThis.polluted = true;
    event.container.env = { ESCAPED: 'x' };
    event.container.id = 'other';
    event.pod = null;
    nri.log.info = null;
    nri.state = null;
    for (const key of Object.keys(nri)) delete nri[key];
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
