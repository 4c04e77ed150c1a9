// attack: the call sites of an async stack
// expect: ok
// biome-ignore-all lint: it is an attack
// @ts-nocheck

export default {
  async createContainer(event, nri) {
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
    let sites = [];
    Error.prepareStackTrace = (_error, list) => {
      sites = list;
      return '';
    };
    await null;
    await (async () => {
      await null;
      new Error('x').stack;
    })();
    let outside = found(sites.flatMap(site => [site, site.getFunction(), site.getThis()]));
    if (sites.some(site => /node:|file:|\/src\//.test(String(site.getFileName())))) outside ??= 'path of a file';
    return { adjust: { env: outside ? { ESCAPED: String(outside) } : { ATTACK: 'contained' } } };
  },
};
