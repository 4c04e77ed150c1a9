/** Settings files, and the pods that their `match` is asked about: a problem that is told, or settings that are in bounds. */
import assert from 'node:assert/strict';
import { stringify } from 'yaml';
import { grants } from '../../src/compose/index.ts';
import { matcherOf } from '../../src/scripts/match.ts';
import { ScriptProblem } from '../../src/scripts/problem.ts';
import { parseSettings } from '../../src/scripts/settings.ts';
import { spoil } from './bytes.ts';
import { FuzzFailure, pollutedPrototype, shrink, type Target } from './failure.ts';
import { createRandom, type Random } from './random.ts';
import { anything } from './results.ts';

const millisMax = 2000;

export const settingsTarget: Target = {
  name: 'settings',
  unit: 'files',
  async run(seed) {
    const random = createRandom(seed);
    const text = settingsText(random);
    const wrong = readsSoundly(text);
    if (wrong === undefined) return 1;
    const parts = await shrink([...text], least => readsSoundly(least.join('')) !== undefined);
    throw new FuzzFailure(wrong, JSON.stringify(parts.join('')));
  },
};

/** What is wrong with how a settings file is read; undefined for nothing. */
export function readsSoundly(text: string): string | undefined {
  const started = performance.now();
  try {
    const settings = parseSettings(text, '10-a.yaml', grants);
    assert.ok(Number.isInteger(settings.timeout) && settings.timeout >= 1 && settings.timeout <= 10_000, 'timeout');
    assert.ok(settings.memory >= 16 << 20 && settings.memory <= 1 << 30, 'memory');
    assert.ok(
      settings.allow.every(each => (grants as readonly string[]).includes(each)),
      'allow',
    );
    assert.ok(['enforce', 'shadow'].includes(settings.mode) && ['skip', 'fail'].includes(settings.onError), 'mode, onError');
    assert.equal(typeof settings.disabled, 'boolean');
    assert.equal(typeof JSON.stringify(settings.config ?? null), 'string', 'config crosses as JSON');
    const matches = matcherOf(settings.match);
    for (const pod of pods) for (const container of [undefined, { name: 'app' }]) assert.equal(typeof matches(pod, container), 'boolean');
  } catch (error) {
    if (!(error instanceof ScriptProblem)) return error instanceof Error ? `${error.stack}` : String(error);
    if (!error.code.startsWith('SETTINGS_') || !error.message.includes('10-a.yaml'))
      return `a problem that tells nothing: ${error.message}`;
  }
  const polluted = pollutedPrototype();
  if (polluted) return `${polluted}.prototype was changed`;
  const millis = performance.now() - started;
  return millis > millisMax ? `it took ${Math.round(millis)} ms` : undefined;
}

const pods = [
  { name: 'web', namespace: 'default', labels: { app: 'web' }, annotations: {}, runtimeHandler: '' },
  {
    name: 'a'.repeat(253),
    namespace: 'shop-1',
    labels: Object.fromEntries([['__proto__', 'x']]),
    annotations: { 'a/b': 'a'.repeat(5000) },
    runtimeHandler: 'runc',
  },
];

const whole = `config: { a: [1, 2.5, ~, "x"], at: 2001-12-14t21:59:43.10-05:00 }
timeout: 100ms
memory: 64Mi
allow: [mounts, devices]
match:
  namespaces: [shop-*, '!shop-test']
  labels: { app: web }
  annotations: { a/b: '*a*a*a*a*b' }
  pods: w?b*
  runtimeHandler: runc
onError: fail
mode: shadow
disabled: false
logFile: /var/log/a.log
`;

const snippets = [
  '<<: *a\n',
  '&a [*a, *a]\n',
  'a: &x [1,1,1,1,1,1,1,1,1]\nb: &y [*x,*x,*x,*x,*x,*x,*x,*x,*x]\nc: &z [*y,*y,*y,*y,*y,*y,*y,*y,*y]\nd: [*z,*z,*z,*z,*z,*z,*z,*z,*z]\n',
  '!!js/function "x"\n',
  '!!binary "AAAA"\n',
  '!!set {a, b}\n',
  '!!omap [a: 1]\n',
  '? [a, b]\n: c\n',
  '%YAML 1.1\n---\n',
  '---\na: 1\n---\nb: 2\n',
  '__proto__: { polluted: 1 }\n',
  'constructor: x\n',
  'timeout: .inf\n',
  'timeout: 0x10\n',
  'config: 99999999999999999999999\n',
  'config: &c { self: *c }\n',
  'match: { labels: { __proto__: x } }\n',
  'match: { pods: "**********************************b" }\n',
  '\ufeff',
  '\t',
  '"',
  '|2-\n',
  '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[',
  '{a: '.repeat(60),
];

const keys = ['config', 'timeout', 'memory', 'allow', 'match', 'onError', 'mode', 'disabled', 'logFile', '__proto__', 'toString'];

function settingsText(random: Random): string {
  switch (random.below(5)) {
    case 0: {
      const made: Record<string, unknown> = {};
      for (let count = random.below(4); count > 0; count--) {
        const value = random.chance(0.5)
          ? anything(random, 2)
          : random.pick(['5', '1s', 'a', ['mounts'], { pods: anything(random, 3) }, { labels: anything(random, 2) }]);
        Object.defineProperty(made, random.pick(keys), { value, enumerable: true, configurable: true, writable: true });
      }
      return random.chance(0.5) ? JSON.stringify(made) : stringify(made);
    }
    case 1:
      return random.pick(snippets) + random.pick(snippets);
    case 2: {
      const lines = whole.split('\n');
      lines.splice(random.below(lines.length), random.below(3), random.pick(snippets));
      return lines.join('\n');
    }
    default: {
      let bytes: Buffer = Buffer.from(whole);
      for (let count = 1 + random.below(3); count > 0; count--) bytes = spoil(random, bytes, Buffer.from(random.pick(snippets)));
      return bytes.toString();
    }
  }
}
