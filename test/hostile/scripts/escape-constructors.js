// attack: the constructors of all that is handed in
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
    const all = [
      event,
      event.pod,
      event.container,
      event.container.env,
      event.container.args,
      nri,
      nri.node,
      nri.runtime,
      nri.config,
      ...Object.values(nri),
      ...Object.values(nri.log),
      ...Object.values(nri.state),
      console,
      console.log,
    ];
    const outside = found(all);
    return { adjust: { env: outside ? { ESCAPED: String(outside) } : { ATTACK: 'contained' } } };
  },
};
