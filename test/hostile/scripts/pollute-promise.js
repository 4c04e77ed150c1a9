// attack: promises exchanged
// expect: ok|pending
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    if ({}.polluted || globalThis.polluted) return { adjust: { env: { ESCAPED: 'from an earlier event' } } };
    globalThis.polluted = true;
    Promise.prototype.then = function () {
      return this;
    };
    Promise.resolve = () => ({ then() {} });
    globalThis.Promise = null;
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
