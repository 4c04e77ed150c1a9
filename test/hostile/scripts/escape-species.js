// attack: species and subclasses where the sandbox builds arrays and promises
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
    for (const base of [Array, Promise, RegExp, Map])
      Object.defineProperty(base, Symbol.species, {
        configurable: true,
        get() {
          seen.push(this);
          return base;
        },
      });
    Array.prototype.constructor = Promise.prototype.constructor = function (...list) {
      seen.push(this, ...list);
      return [];
    };
    nri.update([{ containerId: 'none' }]);
    nri.pods();
    nri.state.keys();
    const outside = found(seen);
    return { adjust: { env: outside ? { ESCAPED: String(outside) } : { ATTACK: 'contained' } } };
  },
};
