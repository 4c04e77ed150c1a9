import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createScriptStore, type ScriptProblem, type ScriptsChange, type ScriptVersion, watchScripts } from '../../src/scripts/index.ts';
import { eventually } from '../support/eventually.ts';
import { folder } from '../support/folder.ts';

const script = (value: string) => `export default { createContainer() { return ${value} } };\n`;

function storeOf(t: TestContext, directory: string, probe = async (_: ScriptVersion): Promise<string[]> => ['createContainer']) {
  const problems: Array<{ problem: ScriptProblem; kept: boolean }> = [];
  const changes: ScriptsChange[] = [];
  const store = createScriptStore({
    directory,
    grants: ['mounts'],
    probe,
    onChange: (_active, change) => changes.push(change),
    onProblem: (problem, kept) => problems.push({ problem, kept }),
  });
  const watch = () => {
    const watcher = watchScripts(directory, () => store.refresh());
    t.after(() => watcher.close());
  };
  return {
    store,
    problems,
    changes,
    watch,
    names: () => store.active().map(each => each.name),
    codes: () => problems.map(each => each.problem.code),
  };
}

test('scripts run in byte order of their names, and what is no script is left out', async t => {
  const names = [
    '20-b.ts',
    '10-a.js',
    '9-z.mjs',
    'Z.mts',
    'a.ts',
    '10-a.d.ts',
    '.hidden.ts',
    '10-a.ts~',
    '#10-a.ts#',
    '4913',
    'x.json',
    '_lib.ts',
    'é.ts',
  ];
  const { path } = folder(t, Object.fromEntries(names.map(name => [name, script('1')])));
  const { store, names: active } = storeOf(t, path);
  await store.refresh();
  assert.deepEqual(active(), ['10-a.js', '20-b.ts', '9-z.mjs', 'Z.mts', 'a.ts', 'é.ts']);
});

test('settings stand beside the script', async t => {
  const { path } = folder(t, {
    '10-a.ts': script('1'),
    '10-a.yaml': 'config: { x: [1] }\ntimeout: 250ms\nmemory: 128Mi\nallow: mounts\nmode: shadow\nlogFile: /var/log/a.log\n',
  });
  const { store } = storeOf(t, path);
  await store.refresh();
  assert.deepEqual(store.active()[0]?.settings, {
    config: { x: [1] },
    timeout: 250,
    memory: 128 << 20,
    allow: ['mounts'],
    mode: 'shadow',
    onError: 'skip',
    match: undefined,
    disabled: false,
    logFile: '/var/log/a.log',
  });
});

for (const [text, code, message] of [
  ['timeot: 5', 'SETTINGS_INVALID', /10-a\.yaml: timeot: no such setting; there are config, timeout/],
  ['timeout: soon', 'SETTINGS_INVALID', /10-a\.yaml: timeout: expected milliseconds/],
  ['memory: 1Mi', 'SETTINGS_INVALID', /from 16Mi to 1Gi/],
  ['allow: [everything]', 'SETTINGS_INVALID', /"everything" cannot be granted; there are mounts/],
  ['logFile: a.log', 'SETTINGS_INVALID', /expected an absolute path/],
  ['- a', 'SETTINGS_INVALID', /expected keys/],
  ['config: {a: 1', 'SETTINGS_SYNTAX', /10-a\.yaml:1:\d+: /],
  ['config: *c', 'SETTINGS_INVALID', /10-a\.yaml: Unresolved alias/],
] as const) {
  test(`settings are refused with the place and what they take: ${text.split('\n')[0]}`, async t => {
    const { path } = folder(t, { '10-a.ts': script('1'), '10-a.yaml': text });
    const { store, problems } = storeOf(t, path);
    await store.refresh();
    assert.equal(problems[0]?.problem.code, code);
    assert.match(problems[0]!.problem.message, message);
    assert.deepEqual(store.active(), []);
  });
}

test('a disabled script does not run and is not evaluated', async t => {
  const { path } = folder(t, { '10-a.ts': script('1'), '10-a.yaml': 'disabled: true' });
  const probed: string[] = [];
  const { store, names } = storeOf(t, path, async version => {
    probed.push(version.name);
    return [];
  });
  await store.refresh();
  assert.deepEqual([names(), probed], [[], []]);
});

test('relative imports inside the directory are bundled, and yaml can be imported', async t => {
  const { path } = folder(t, {
    '10-a.ts': `import { value } from './lib/value.js';\nimport { parse } from 'yaml';\n${script('[value, parse]')}`,
    'lib/value.ts': 'export enum E { A = 41 }\nexport const value: number = E.A + 1;\n',
  });
  const { store, problems } = storeOf(t, path);
  await store.refresh();
  assert.deepEqual(problems, []);
  assert.match(store.active()[0]!.code, /41/);
});

for (const [source, message] of [
  ["import fs from 'fs';", /10-a\.ts:1:\d+: cannot import 'fs'/],
  ["import x from '../x.ts';", /cannot import '\.\.\/x\.ts': it is outside of the scripts directory/],
  ["import x from './none.ts';", /there is no none\.ts/],
  ["import x from '/etc/passwd';", /cannot import '\/etc\/passwd'/],
  ["const x = require('fs');", /cannot import 'fs'/],
] as const) {
  test(`an import of anything else is refused: ${source}`, async t => {
    const { path } = folder(t, { '10-a.ts': `${source}\n${script(source.includes('fs') ? 'fs' : 'x')}` });
    const { store, problems } = storeOf(t, path);
    await store.refresh();
    assert.equal(problems[0]?.problem.code, 'SCRIPT_IMPORT');
    assert.match(problems[0]!.problem.message, message);
  });
}

test('a syntax error names the place in the author’s file', async t => {
  const { path } = folder(t, { '10-a.ts': 'export default {\n  createContainer( { return 1 }\n};' });
  const { store, problems } = storeOf(t, path);
  await store.refresh();
  assert.equal(problems[0]?.problem.code, 'SCRIPT_SYNTAX');
  assert.match(problems[0]!.problem.message, /^10-a\.ts:2:\d+: /);
});

test('positions in the compiled script lead back to the author’s files', async t => {
  const { path } = folder(t, {
    '10-a.ts': "import { fail } from './lib/fail.ts';\n\ninterface Gone { a: 1 }\nexport default { createContainer() { fail(); } };\n",
    'lib/fail.ts': '\n\nexport function fail() {\n  throw new Error("x");\n}\n',
  });
  const { store } = storeOf(t, path);
  await store.refresh();
  const { code, positions } = store.active()[0]!;
  const lines = code.split('\n');
  const line = lines.findIndex(text => text.includes('throw new Error')) + 1;
  const column = lines[line - 1]!.indexOf('throw') + 1;
  assert.equal(positions.first(`Error: x\n    at fail (10-a.ts:${line}:${column})`), 'lib/fail.ts:4:3');
});

test('an edit that moves lines only moves the positions', async t => {
  const { path, write } = folder(t, { '10-a.ts': script('1') });
  const { store } = storeOf(t, path);
  await store.refresh();
  const position = () => {
    const { code, positions } = store.active()[0]!;
    const line = code.split('\n').findIndex(text => text.includes('createContainer')) + 1;
    return positions.first(`    at createContainer (10-a.ts:${line}:5)`);
  };
  assert.match(position()!, /^10-a\.ts:1:/);
  write({ '10-a.ts': `// one\n// two\n${script('1')}` });
  await store.refresh();
  assert.match(position()!, /^10-a\.ts:3:/);
});

test('a broken edit keeps the last good version and says so, and mending it replaces that', async t => {
  const { path, write } = folder(t, { '10-a.ts': script('1') });
  const { store, problems, changes } = storeOf(t, path);
  await store.refresh();
  const good = store.active()[0]!;
  write({ '10-a.ts': 'export default {' });
  await store.refresh();
  assert.equal(store.active()[0], good);
  assert.deepEqual(
    problems.map(({ problem, kept }) => [problem.code, kept]),
    [['SCRIPT_SYNTAX', true]],
  );
  write({ '10-a.ts': script('2') });
  await store.refresh();
  assert.notEqual(store.active()[0]!.id, good.id);
  assert.deepEqual(changes.at(-1)?.changed, ['10-a.ts']);
  assert.deepEqual(changes.at(-1)?.gone, [good]);
});

test('a version whose top level fails does not replace the good one', async t => {
  const { path, write } = folder(t, { '10-a.ts': script('1') });
  const { store, problems } = storeOf(t, path, async version => {
    if (version.code.includes('boom')) throw new Error('boom');
    return ['createContainer'];
  });
  await store.refresh();
  const good = store.active()[0];
  write({ '10-a.ts': `${script('2')}throw "boom";` });
  await store.refresh();
  assert.equal(store.active()[0], good);
  assert.equal(problems[0]?.kept, true);
});

test('malformed settings keep the last good ones', async t => {
  const { path, write } = folder(t, { '10-a.ts': script('1'), '10-a.yaml': 'timeout: 50' });
  const { store, codes } = storeOf(t, path);
  await store.refresh();
  write({ '10-a.yaml': 'timeout: [' });
  await store.refresh();
  assert.equal(store.active()[0]?.settings.timeout, 50);
  assert.deepEqual(codes(), ['SETTINGS_SYNTAX']);
});

test('a change of an imported file renews the scripts that import it, and only those', async t => {
  const { path, write } = folder(t, {
    '10-a.ts': `import { v } from './lib/v.ts';\n${script('v')}`,
    '20-b.ts': script('2'),
    'lib/v.ts': 'export const v = 1;\n',
  });
  const { store, changes } = storeOf(t, path);
  await store.refresh();
  write({ 'lib/v.ts': 'export const v = 3;\n' });
  await store.refresh();
  assert.deepEqual(changes.at(-1)?.changed, ['10-a.ts']);
});

test('an unreadable or missing directory keeps what runs', async t => {
  const { path } = folder(t, { '10-a.ts': script('1') });
  const { store, codes, names } = storeOf(t, path);
  await store.refresh();
  renameSync(path, `${path}.gone`);
  await store.refresh();
  assert.deepEqual([codes(), names()], [['SCRIPTS_DIRECTORY_MISSING'], ['10-a.ts']]);
  renameSync(`${path}.gone`, path);
  await store.refresh();
  assert.deepEqual(names(), ['10-a.ts']);
});

test('a directory that others can write is refused with the remedy', async t => {
  const { path } = folder(t, { '10-a.ts': script('1') });
  chmodSync(path, 0o777);
  const { store, problems } = storeOf(t, path);
  await store.refresh();
  assert.equal(problems[0]?.problem.code, 'SCRIPTS_UNSAFE_PERMISSIONS');
  assert.match(problems[0]!.problem.message, new RegExp(`can be written by everybody.*chmod go-w ${path}`));
});

test('a script, settings file or imported file that others can write is refused', async t => {
  const { path, write } = folder(t, { '10-a.ts': script('1'), '20-b.ts': script('1'), '20-b.yaml': '', 'lib/v.ts': 'export const v = 1;' });
  write({ '30-c.ts': `import { v } from './lib/v.ts';\n${script('v')}` });
  for (const name of ['10-a.ts', '20-b.yaml', 'lib/v.ts']) chmodSync(join(path, name), 0o664);
  const { store, codes, names } = storeOf(t, path);
  await store.refresh();
  assert.deepEqual(codes(), Array(3).fill('SCRIPTS_UNSAFE_PERMISSIONS'));
  assert.deepEqual(names(), []);
});

test('a script of another user is refused', { skip: process.getuid?.() !== 0 && 'needs root to give a file away' }, async t => {
  const { path } = folder(t, { '10-a.ts': script('1') });
  chownSync(join(path, '10-a.ts'), 1234, 1234);
  const { store, problems } = storeOf(t, path);
  await store.refresh();
  assert.match(problems[0]!.problem.message, /is owned by user 1234.*chown root/);
});

test('watching follows additions, changes, atomic replacement, renames and deletion', async t => {
  const dir = folder(t, { '10-a.ts': script('1') });
  const { store, names, watch } = storeOf(t, dir.path);
  await store.refresh();
  watch();
  const becomes = (...expected: string[]) => eventually(names, now => now.join() === expected.join());
  dir.write({ '20-b.ts': script('1') });
  await becomes('10-a.ts', '20-b.ts');
  const codeOf = () => store.active()[0]?.code ?? '';
  dir.write({ '10-a.ts': script('1111') });
  await eventually(codeOf, code => code.includes('1111'));
  dir.replace('10-a.ts', script('2222'));
  await eventually(codeOf, code => code.includes('2222'));
  renameSync(join(dir.path, '20-b.ts'), join(dir.path, '05-b.ts'));
  await becomes('05-b.ts', '10-a.ts');
  dir.remove('05-b.ts');
  await becomes('10-a.ts');
});

test('a ConfigMap volume is followed when Kubernetes swaps its ..data link', async t => {
  const dir = folder(t, { '..1/10-a.ts': script('1'), '..2/10-a.ts': script('22'), '..2/20-b.ts': script('1') });
  symlinkSync('..1', join(dir.path, '..data'));
  symlinkSync('..data/10-a.ts', join(dir.path, '10-a.ts'));
  const { store, names, watch } = storeOf(t, dir.path);
  await store.refresh();
  assert.deepEqual(names(), ['10-a.ts']);
  watch();
  symlinkSync('..2', join(dir.path, '..data_tmp'));
  renameSync(join(dir.path, '..data_tmp'), join(dir.path, '..data'));
  symlinkSync('..data/20-b.ts', join(dir.path, '20-b.ts'));
  await eventually(names, now => now.join() === '10-a.ts,20-b.ts');
  assert.match(store.active()[0]!.code, /22/);
});

test('a directory that does not exist yet is followed once it does', async t => {
  const { path } = folder(t);
  const later = join(path, 'scripts.d');
  const { store, names, codes, watch } = storeOf(t, later);
  await store.refresh();
  assert.deepEqual(codes(), ['SCRIPTS_DIRECTORY_MISSING']);
  watch();
  mkdirSync(later, { mode: 0o755 });
  writeFileSync(join(later, '10-a.ts'), script('1'), { mode: 0o644 });
  await eventually(names, now => now.join() === '10-a.ts');
});

test('a file that changes while it or one before it is probed is in force after the next look', async t => {
  const { path } = folder(t, { '10-a.ts': script('"old a"'), '20-b.ts': script('"old b"') });
  let probes = 0;
  const { store } = storeOf(t, path, async () => {
    if (probes++ === 0) for (const name of ['10-a.ts', '20-b.ts']) writeFileSync(join(path, name), script(`"newer ${name}"`));
    return ['createContainer'];
  });
  await store.refresh();
  await store.refresh();
  for (const version of store.active()) assert.match(version.code, /newer/);
});

test('many scripts of which one does not compile are all looked at, in order', async t => {
  const names = Array.from({ length: 30 }, (_, n) => `${10 + n}-x.ts`);
  const { path } = folder(t, Object.fromEntries(names.map((name, n) => [name, n === 7 ? 'export default {' : script(`${n}`)])));
  const { store, names: active, codes } = storeOf(t, path);
  await store.refresh();
  assert.deepEqual(
    active(),
    names.filter((_, n) => n !== 7),
  );
  assert.deepEqual(codes(), ['SCRIPT_SYNTAX']);
});

test('settings that belong to no script are told, once', async t => {
  const { path, write } = folder(t, { '10-guard.ts': script('1'), '10-gaurd.yaml': 'onError: fail\n' });
  const { store, codes, problems } = storeOf(t, path);
  await store.refresh();
  write({ '20-b.ts': script('2') });
  await store.refresh();
  assert.deepEqual(codes(), ['SETTINGS_WITHOUT_SCRIPT']);
  assert.match(problems[0]!.problem.message, /^10-gaurd\.yaml: there is no script of this name/);
});

test('an import that yaml does not offer is named with those that it does', async t => {
  const { path } = folder(t, { '10-a.ts': `import { Document } from 'yaml';\n${script('Document')}` });
  const { store, problems } = storeOf(t, path);
  await store.refresh();
  assert.match(problems[0]!.problem.message, /^10-a\.ts:1:10: yaml has no Document here: it has parse, stringify/);
});
