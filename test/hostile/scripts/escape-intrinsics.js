// attack: V8 syntax for its own functions
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
    for (const text of ['%DebugPrint(1)', '%GetHeapUsage()', '%SystemBreak()', '%AbortJS("x")']) {
      try {
        outside ??= String((0, eval)(text));
      } catch {}
    }
    return { adjust: { env: outside ? { ESCAPED: String(outside) } : { ATTACK: 'contained' } } };
  },
};
