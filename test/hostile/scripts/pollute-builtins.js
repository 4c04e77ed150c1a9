// attack: every builtin made to throw
// expect: ok|error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    if ({}.polluted || globalThis.polluted) return { adjust: { env: { ESCAPED: 'from an earlier event' } } };
    globalThis.polluted = true;
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      const builtin = globalThis[name];
      if (typeof builtin !== 'function' || !builtin.prototype || name === 'Object') continue;
      for (const key of Reflect.ownKeys(builtin.prototype)) {
        try {
          builtin.prototype[key] = () => {
            throw new Error('polluted');
          };
        } catch {}
      }
    }
    return { adjust: { env: { ATTACK: 'contained' } } };
  },
};
