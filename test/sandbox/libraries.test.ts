import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { createLibraries } from '../../src/sandbox/libraries.ts';
import { compile } from '../../src/scripts/compile.ts';
import { librarySource } from '../../src/scripts/libraries.ts';
import { folder } from '../support/folder.ts';
import { sandboxBench } from '../support/sandbox.ts';

/** What a value is, types included. */
const describe = `
  function describe(value) {
    if (typeof value === 'bigint') return value + 'n';
    if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
    if (value === null || typeof value !== 'object') return JSON.stringify(value) + typeof value;
    const type = Object.prototype.toString.call(value);
    if (type === '[object Date]') return 'date ' + value.getTime();
    if (type === '[object Map]' || type === '[object Set]') return type + [...value].map(describe);
    if (type === '[object Uint8Array]') return 'bytes ' + [...value];
    return type + Object.keys(value).map(key => key + ':' + describe(value[key])).join() + (Object.getPrototypeOf(value) === Object.prototype);
  }`;
const describeHere = new Function(`${describe}; return describe;`)() as (value: unknown) => string;

const texts: [string, object?][] = [
  ['- path: /dev/fuse\n  type: c\n  major: 10\n  file_mode: 0666\n', { version: '1.1' }],
  ['- path: /dev/fuse\n  type: c\n  major: 10\n  file_mode: 0666\n'],
  [''],
  ['null'],
  ['"text"'],
  ['a: .nan\nb: -.inf\nc: -0\nd: 1e400'],
  ['a: 9223372036854775807'],
  ['a: 9223372036854775807', { intAsBigInt: true }],
  ['when: 2001-12-14t21:59:43.10-05:00', { version: '1.1' }],
  ['!!set {a, b}', { version: '1.1' }],
  ['!!omap [a: 1, b: 2]', { version: '1.1' }],
  ['a: &x {y: 1}\nb: *x'],
  ['a: &x {y: 1}\nb:\n  <<: *x\n  z: 2', { merge: true }],
  ['__proto__: {a: 1}\nconstructor: 2\ntoString: 3'],
  ['? [complex, key]\n: value'],
  ['2: two\n1: one'],
  ['text: |\n  line\n  line\n'],
  ['ünï: cödé 😀 \\u2028'],
  ['a: 1', { mapAsMap: true }],
  ['a: yes', { schema: 'yaml-1.1' }],
];

test('a script gets from yaml what yaml gives, whether the parser ran outside of its context or inside', async t => {
  const { load, run, sandbox } = sandboxBench(t);
  const { path } = folder(t, {
    'a.ts': `import { parse } from 'yaml';${describe}
      export default { createContainer({ text, options }) { return describe(options === null ? parse(text) : parse(text, options)); } };`,
  });
  const { code } = await compile(path, `${path}/a.ts`);
  const libraries = { yaml: await librarySource('yaml') };
  assert.ok('handlers' in (await load('a', '', { code, libraries, timeout: 5000 })));
  for (const [text, options] of texts) {
    await sandbox.idle();
    const [result] = await run(['a'], { input: { text, options } });
    assert.equal(result?.outcome === 'ok' && result.result, describeHere(parse(text, options)), text);
  }
});

test("an error of yaml's is yaml's own, and its other functions and a reviver are there", async t => {
  const { load, run } = sandboxBench(t);
  const { path } = folder(t, {
    'a.ts': `import yaml, { parse, stringify, parseDocument } from 'yaml';
      export default { createContainer() {
        const caught = [];
        for (const call of [() => parse('a: [1'), () => parse('a: 1\\na: 2'), () => parse('a: *none')]) {
          try { call(); } catch (error) { caught.push([error.name, error.code ?? '']); }
        }
        return {
          caught,
          revived: parse('a: 1', (key, value) => (typeof value === 'number' ? value + 1 : value)),
          stringified: stringify({ a: [1] }),
          document: parseDocument('a: 1').get('a'),
          whole: yaml.parse('b: 2'),
        };
      } };`,
  });
  const { code } = await compile(path, `${path}/a.ts`);
  assert.ok('handlers' in (await load('a', '', { code, libraries: { yaml: await librarySource('yaml') }, timeout: 5000 })));
  const [result] = await run(['a']);
  assert.deepEqual(result?.outcome === 'ok' && result.result, {
    caught: [
      ['YAMLParseError', 'BAD_INDENT'],
      ['YAMLParseError', 'DUPLICATE_KEY'],
      ['ReferenceError', ''],
    ],
    revived: { a: 2 },
    stringified: 'a:\n  - 1\n',
    document: 1,
    whole: { b: 2 },
  });
});

test('only short texts with plain options and plain results are parsed outside of the context', async () => {
  const libraries = createLibraries();
  assert.equal(libraries.yaml('\na: 1'), '');
  libraries.add('yaml', await librarySource('yaml'));
  assert.equal(libraries.yaml('\na: 1'), '{"a":1}');
  assert.equal(libraries.yaml('{"version":"1.1"}\na: 010'), '{"a":8}');
  assert.equal(libraries.yaml('{"customTags":"x"}\na: 1'), '');
  assert.equal(libraries.yaml('{"maxAliasCount":true}\na: 1'), '');
  assert.equal(libraries.yaml('not json\na: 1'), '');
  assert.equal(libraries.yaml(`\na: ${'x'.repeat(20_000)}`), '');
  assert.equal(libraries.yaml('\na: ['), '');
  assert.equal(libraries.yaml('\n- &a [1]\n- *a'), '');
});
