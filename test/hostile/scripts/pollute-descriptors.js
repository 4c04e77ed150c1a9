// attack: getters and setters where descriptors and lists are read
// expect: ok|error|refused
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    if ({}.polluted || globalThis.polluted) return { adjust: { env: { ESCAPED: 'from an earlier event' } } };
    globalThis.polluted = true;
    for (const key of ['get', 'set', 'value', 'writable', 'enumerable', 'configurable', '0', '1', 'length'])
      Object.defineProperty(Object.prototype, key, {
        __proto__: null,
        configurable: true,
        get: () => () => ({ adjust: { env: { ESCAPED: key } } }),
        set() {},
      });
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
