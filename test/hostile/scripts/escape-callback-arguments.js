// attack: objects handed to callbacks that look back at who reads them
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
    const spy = new Proxy(function () {}, {
      get(_target, key, receiver) {
        seen.push(receiver);
        if (key === Symbol.toPrimitive) return () => 'x';
        return undefined;
      },
      apply(_target, self, list) {
        seen.push(self, ...list);
        return 'x';
      },
    });
    for (const call of [
      () => nri.log.info(spy, spy),
      () => nri.pod(spy),
      () => nri.container(spy),
      () => nri.containers(spy),
      () => nri.state.set(spy, spy),
      () => console.log(spy),
      () => nri.update(spy),
    ]) {
      try {
        call();
      } catch (error) {
        seen.push(error);
      }
    }
    const outside = found(seen.filter(value => value !== spy));
    return { adjust: { env: outside ? { ESCAPED: String(outside) } : { ATTACK: 'contained' } } };
  },
};
