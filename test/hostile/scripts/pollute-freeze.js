// attack: everything frozen
// expect: ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    if ({}.polluted || globalThis.polluted) return { adjust: { env: { ESCAPED: 'from an earlier event' } } };
    globalThis.polluted = true;
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      try {
        Object.freeze(globalThis[name]);
        Object.freeze(globalThis[name].prototype);
      } catch {}
    }
    Object.freeze(globalThis);
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
