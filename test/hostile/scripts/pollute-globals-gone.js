// attack: every global deleted
// expect: ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    if ({}.polluted || globalThis.polluted) return { adjust: { env: { ESCAPED: 'from an earlier event' } } };
    globalThis.polluted = true;
    const scope = globalThis;
    for (const name of Object.getOwnPropertyNames(scope)) delete scope[name];
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
