// attack: another script defined in place of this one
// expect: ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    if ({}.polluted || globalThis.polluted) return { adjust: { env: { ESCAPED: 'from an earlier event' } } };
    globalThis.polluted = true;
    globalThis.__define?.((module, exports) => {
      exports.default = { createContainer: () => ({ adjust: { env: { ESCAPED: 'defined again' } } }) };
    });
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
