// attack: toJSON on every object, array and number
// expect: ok|refused|error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    if ({}.polluted || globalThis.polluted) return { adjust: { env: { ESCAPED: 'from an earlier event' } } };
    globalThis.polluted = true;
    Object.prototype.polluted = true;
    Object.prototype.toJSON =
      Array.prototype.toJSON =
      Number.prototype.toJSON =
      String.prototype.toJSON =
        () => ({ adjust: { env: { NEVER: 'x' } } });
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
