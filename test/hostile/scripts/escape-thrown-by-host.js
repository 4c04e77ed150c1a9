// attack: the constructors of errors that the host side throws
// expect: ok
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
    let outside;
    try {
      for (let i = 0; i < 1000; i++) nri.pods();
    } catch (error) {
      outside = found([error, error.stack, error.constructor]) ?? (/node:|file:|\/src\//.test(error.stack) ? 'path in stack' : undefined);
    }
    try {
      nri.state.set('k', 'x'.repeat(1e6));
    } catch (error) {
      outside ??= found([error]) ?? (/node:|file:|\/src\//.test(error.stack) ? 'path in stack' : undefined);
    }
    return { adjust: { env: outside ? { ESCAPED: String(outside) } : { ATTACK: 'contained' } } };
  },
};
