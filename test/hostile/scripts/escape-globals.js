// attack: globals that Node or the sandbox itself have
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
    const outside = [
      'process',
      'require',
      'module_',
      'Buffer',
      'global',
      'ivm',
      'WebAssembly',
      'SharedArrayBuffer',
      'Atomics',
      'FinalizationRegistry',
      'WeakRef',
      'fetch',
      'setTimeout',
      'Worker',
      '__define',
      'Deno',
      '$262',
      'gc',
      'd8',
      'load',
      'read',
      'print',
    ].find(name => name in globalThis || new Function(`return typeof ${name}`)() !== 'undefined');
    return { adjust: { env: outside ? { ESCAPED: String(outside) } : { ATTACK: 'contained' } } };
  },
};
