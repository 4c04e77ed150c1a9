// attack: what the package and its facade use, spoiled for the next event and the next script
// expect: ok|error|timeout
// biome-ignore-all lint: it is an attack
// @ts-nocheck

import yaml, { parse } from 'yaml';

export default {
  createContainer({ container }) {
    try {
      const whole = __libraries.whole('yaml');
      for (const name of Object.keys(whole)) whole[name] = () => ({ ESCAPED: 'poisoned' });
      __libraries.yaml = () => [{ ESCAPED: 'poisoned' }];
      __libraries.whole = () => whole;
    } catch {}
    yaml.parse = () => ({ ESCAPED: 'poisoned' });
    Array.prototype.map = String.prototype.split = () => ['ESCAPED'];
    Object.defineProperty(Object.prototype, 'get', { get: () => () => 'ESCAPED', set() {}, configurable: true });
    Object.defineProperty(Object.prototype, 'yaml', { value: 'ESCAPED', writable: true });
    const { mounts, env, linux, annotations } = container;
    return { adjust: { env: { ATTACK: [mounts, env, linux, annotations].map === undefined ? 'gone' : typeof parse('a: 1') } } };
  },
};
