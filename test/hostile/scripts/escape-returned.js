// attack: the constructors of all that look-ups and the store return
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
    nri.state.set('k', { a: [1] });
    const outside = found([
      nri.pods(),
      nri.pods()[0],
      nri.pod(event.pod.id),
      nri.containers(),
      nri.container('none'),
      nri.state.get('k'),
      nri.state.keys(),
      nri.update([]),
      nri.log.info('x'),
    ]);
    return { adjust: { env: outside ? { ESCAPED: String(outside) } : { ATTACK: 'contained' } } };
  },
};
