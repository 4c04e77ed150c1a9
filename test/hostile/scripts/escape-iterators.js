// attack: iterators where the sandbox walks over lists
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
    const next = Object.getPrototypeOf([][Symbol.iterator]()).next;
    Object.getPrototypeOf([][Symbol.iterator]()).next = function () {
      seen.push(this);
      return next.call(this);
    };
    Array.prototype[Symbol.iterator] = function () {
      seen.push(this);
      return { next: () => ({ done: true }) };
    };
    nri.pods();
    nri.state.set('k', 1);
    nri.update([{ containerId: 'none' }]);
    const outside = found(seen);
    return { adjust: { env: outside ? { ESCAPED: String(outside) } : { ATTACK: 'contained' } } };
  },
};
