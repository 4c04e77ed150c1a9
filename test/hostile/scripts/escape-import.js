// attack: modules by every way of importing
// expect: ok|error|pending
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
    let outside;
    for (const name of ['fs', 'node:fs', 'node:child_process', './50-attack.js', 'data:text/javascript,export default 1', 'isolated-vm']) {
      try {
        const module = await new Function('name', 'return import(name)')(name);
        outside ??= name;
      } catch (error) {
        outside ??= found([error]);
      }
    }
    return { adjust: { env: outside ? { ESCAPED: String(outside) } : { ATTACK: 'contained' } } };
  },
};
