// attack: properties on every object
// expect: ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    if ({}.polluted || globalThis.polluted) return { adjust: { env: { ESCAPED: 'from an earlier event' } } };
    globalThis.polluted = true;
    Object.prototype.polluted = true;
    Object.prototype.error = { message: 'forged' };
    Object.prototype.result = { adjust: { env: { ESCAPED: 'forged' } } };
    Object.prototype.adjust = { env: { ESCAPED: 'forged' } };
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
