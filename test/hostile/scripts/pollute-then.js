// attack: then on every object
// expect: ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    if ({}.polluted || globalThis.polluted) return { adjust: { env: { ESCAPED: 'from an earlier event' } } };
    globalThis.polluted = true;
    Object.prototype.then = function (resolve) {
      delete Object.prototype.then;
      resolve({ adjust: { env: { ATTACK: 'contained' } } });
    };
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
