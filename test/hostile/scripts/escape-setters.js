// attack: setters on Object.prototype that catch what the sandbox writes
// expect: ok|refused|error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  createContainer(event, nri) {
    const found = candidates => {
      for (const value of candidates) {
        if (value === undefined || value === null) continue;
        for (const make of [() => value.constructor, () => value.constructor.constructor, () => value.__proto__.constructor.constructor]) {
          try {
            const outside = make()('return typeof process === "object" ? "process" : typeof require === "function" ? "require" : ""')();
            if (outside && typeof outside === 'string') return outside;
          } catch {}
        }
      }
    };
    const seen = [];
    for (const key of ['name', 'message', 'stack', 'error', 'result', 'updates', 'state', 'log', 'lookup', 'pod', 'container'])
      Object.defineProperty(Object.prototype, key, {
        configurable: true,
        get() {
          seen.push(this);
        },
        set(value) {
          seen.push(this, value);
        },
      });
    try {
      nri.pods();
      nri.log.info('x', {});
    } catch (error) {
      seen.push(error);
    }
    const outside = found(seen);
    return { adjust: { env: outside ? { ESCAPED: String(outside) } : { ATTACK: 'contained' } } };
  },
};
