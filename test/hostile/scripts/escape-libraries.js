// attack: what packages are handed in with
// expect: ok|error
// biome-ignore-all lint: it is an attack
// @ts-nocheck

import yaml, { parse, parseDocument } from 'yaml';

export default {
  createContainer() {
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
    const seen = [yaml, parse, parseDocument, parse('a: [1]'), parse('__proto__: { polluted: 1 }\nconstructor: 2')];
    try {
      seen.push(
        __libraries,
        ...Object.values(__libraries),
        __libraries.whole('yaml'),
        __libraries.whole('../process'),
        __libraries.whole('fs'),
      );
    } catch (error) {
      seen.push(error);
    }
    const thenable = {
      toString: () => 'a: 1',
      get length() {
        throw new Error('looked at');
      },
    };
    for (const args of [
      [thenable],
      ['a: 1', new Proxy({}, {})],
      [
        'a: 1',
        {
          get version() {
            return '1.1';
          },
        },
      ],
      ['a: 1', { customTags: [() => process] }],
    ]) {
      try {
        seen.push(parse(...args));
      } catch (error) {
        seen.push(error);
      }
    }
    const outside = found(seen) ?? ({}.polluted && 'polluted');
    return { adjust: { env: outside ? { ESCAPED: String(outside) } : { ATTACK: 'contained' } } };
  },
};
