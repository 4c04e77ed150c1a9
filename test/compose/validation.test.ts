import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginCreate, beginUpdate, contribute, finish, type Problem } from '../../src/compose/index.ts';
import { containerWith, everything } from './fixture.ts';

function problemsOf(result: unknown): Problem[] {
  return contribute(beginCreate({ container: containerWith(), nriVersion: '' }), { script: 'a', allow: everything }, result).problems;
}

function refusal(adjust: unknown): string {
  const problems = problemsOf({ adjust });
  assert.equal(problems.length, 1, JSON.stringify(problems));
  assert.equal(problems[0]!.effect, 'refused');
  return `${problems[0]!.code} ${problems[0]!.message}`;
}

const cpu = (fields: object) => ({ linux: { resources: { cpu: fields } } });
const memory = (fields: object) => ({ linux: { resources: { memory: fields } } });

test('nothing, null and an empty result are no change', () => {
  for (const result of [undefined, null, {}, { adjust: {} }, { adjust: undefined, update: null }, { update: [] }]) {
    assert.deepEqual(problemsOf(result), []);
  }
});

test('a wrong type is told with its exact place and value', () => {
  assert.equal(refusal(cpu({ quota: 'abc' })), 'WRONG_TYPE adjust.linux.resources.cpu.quota: expected an integer, got "abc"');
  assert.equal(refusal({ mounts: {} }), 'WRONG_TYPE adjust.mounts: expected an array, got an object');
  assert.equal(refusal({ env: ['A=1'] }), 'WRONG_TYPE adjust.env: expected an object, got an array');
  assert.equal(refusal({ args: ['a', 7] }), 'WRONG_TYPE adjust.args[1]: expected a string, got 7');
});

test('a value that cannot leave the sandbox is told by what it was', () => {
  assert.equal(refusal({ env: { A: Symbol('function') } }), 'WRONG_TYPE adjust.env.A: expected a string, got a function');
  assert.equal(refusal(cpu({ quota: Number.NaN })), 'WRONG_TYPE adjust.linux.resources.cpu.quota: expected an integer, got NaN');
  assert.match(refusal(cpu({ quota: 1.5 })), /expected an integer, got 1\.5$/);
});

test('an unknown field names the nearest known one', () => {
  assert.match(refusal(cpu({ qouta: 1 })), /^UNKNOWN_FIELD adjust\.linux\.resources\.cpu\.qouta: .*did you mean quota\?/);
  assert.match(refusal({ linux: { cgroups_path: '/x' } }), /did you mean cgroupsPath\?/);
  assert.match(
    refusal({ mounts: [{ destination: '/a', sources: '/b' }] }),
    /^UNKNOWN_FIELD adjust\.mounts\[0\]\.sources: .*did you mean source\?/,
  );
});

test('a field in the wrong place names the right one', () => {
  assert.match(refusal({ linux: { cpus: '0' } }), /did you mean linux\.resources\.cpu\.cpus\?/);
  assert.match(problemsOf({ env: { A: '1' } })[0]!.message, /did you mean adjust\.env\?/);
});

test('integers are checked against their exact 64-bit range', () => {
  assert.equal(problemsOf({ adjust: memory({ limit: 2n ** 63n - 1n }) }).length, 0);
  assert.match(refusal(memory({ limit: 2n ** 63n })), /^OUT_OF_RANGE .*from -9223372036854775808 to 9223372036854775807/);
  assert.equal(problemsOf({ adjust: memory({ limit: -(2n ** 63n) }) }).length, 0);
  assert.match(refusal(memory({ limit: -(2n ** 63n) - 1n })), /^OUT_OF_RANGE/);
  assert.equal(problemsOf({ adjust: cpu({ shares: 2n ** 64n - 1n }) }).length, 0);
  assert.match(refusal(cpu({ shares: 2n ** 64n })), /^OUT_OF_RANGE/);
  assert.match(refusal(cpu({ shares: -1 })), /^OUT_OF_RANGE/);
});

test('a number that is no longer exact asks for a bigint', () => {
  assert.match(refusal(memory({ limit: 2 ** 53 })), /^OUT_OF_RANGE .*use a bigint/);
});

test('32-bit fields have 32-bit ranges', () => {
  const device = (fields: object) => ({ linux: { devices: [{ path: '/dev/x', type: 'c', ...fields }] } });
  assert.equal(problemsOf({ adjust: device({ uid: 2 ** 32 - 1 }) }).length, 0);
  assert.match(refusal(device({ uid: 2 ** 32 })), /^OUT_OF_RANGE adjust\.linux\.devices\[0\]\.uid/);
});

test('a huge bigint is refused without spelling it out', () => {
  assert.match(refusal(cpu({ quota: 1n << 4_000_000n })), /more than 128 bits/);
});

test("NRI's removal marks are refused: null removes", () => {
  assert.equal(
    refusal({ env: { '-FOO': '' } }),
    'REMOVAL_MARK adjust.env.-FOO: a key that begins with "-" is NRI\'s removal mark: write FOO: null',
  );
  assert.match(refusal({ annotations: { '-a': '' } }), /^REMOVAL_MARK/);
  assert.match(refusal({ mounts: [{ destination: '-/data' }] }), /^REMOVAL_MARK .*write \{ destination: "\/data", remove: true \}/);
  assert.match(refusal({ rlimits: [{ type: '-RLIMIT_CORE', hard: 0, soft: 0 }] }), /no removal/);
});

test('null where NRI has no removal says so', () => {
  assert.match(refusal({ linux: { resources: { unified: { 'memory.high': null } } } }), /^WRONG_TYPE .*NRI cannot remove it/);
  assert.match(refusal(cpu({ quota: null })), /expected an integer, got null/);
});

test('what only fails later in the container is refused now', () => {
  for (const adjust of [
    { env: { 'A=B': '1' } },
    { env: { '': '1' } },
    { env: { A: 'nul\0' } },
    { env: { A: 'half \ud800' } },
    { env: { A: 'x'.repeat(131072) } },
    { annotations: { '': 'x' } },
    { mounts: [{ destination: 'data', source: '/x' }] },
    { mounts: [{ destination: `/${'x'.repeat(4095)}` }] },
    { hooks: { prestart: [{ path: 'bin/x' }] } },
    { hooks: { prestart: [{ path: '/bin/x', timeout: 0 }] } },
    { hooks: { prestart: [{ path: '/bin/x', env: ['NOVALUE'] }] } },
    { rlimits: [{ type: 'NOFILE', hard: 1, soft: 1 }] },
    { rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1, soft: 2 }] },
    { cdiDevices: [{ name: 'gpu0' }] },
    { linux: { devices: [{ path: '/dev/x', type: 'chr' }] } },
    { linux: { oomScoreAdj: 1001 } },
    { linux: { ioPriority: { class: 'IOPRIO_CLASS_RT', priority: 8 } } },
    { linux: { scheduler: { policy: 'OTHER' } } },
    { linux: { namespaces: [{ type: 'net' }] } },
    { linux: { sysctl: { 'net/../../x': '1' } } },
    { linux: { netDevices: { 'a-name-of-16-bytes': {} } } },
    { linux: { netDevices: { 'eth/0': {} } } },
    { linux: { memoryPolicy: { mode: 'MPOL_BIND', nodes: 'all' } } },
    { linux: { seccompPolicy: { defaultAction: 'ALLOW' } } },
    cpu({ cpus: '0-3;5' }),
    memory({ swappiness: 101 }),
    { linux: { resources: { hugepageLimits: [{ pageSize: '2M', limit: 1 }] } } },
    { linux: { resources: { unified: { '../memory.high': '1' } } } },
  ]) {
    refusal(adjust);
  }
});

test('a missing required field is named', () => {
  assert.equal(refusal({ rlimits: [{ type: 'RLIMIT_CORE', hard: 1 }] }), 'MISSING_FIELD adjust.rlimits[0].soft: missing; it is required');
});

test('two entries for one key are refused', () => {
  assert.match(
    refusal({
      mounts: [
        { destination: '/a', source: '/1' },
        { destination: '/a', source: '/2' },
      ],
    }),
    /^DUPLICATE_KEY adjust\.mounts\[1\]/,
  );
});

test('a result with one error changes nothing', () => {
  const composition = beginCreate({ container: containerWith(), nriVersion: '' });
  const { claims } = contribute(
    composition,
    { script: 'a', allow: everything },
    { adjust: { env: { GOOD: '1' }, ...cpu({ quota: 'x' }) } },
  );
  assert.equal(claims, 0);
  assert.deepEqual(finish(composition), { update: [], ledger: [] });
});

test('at most ten problems are listed, and how many were left out', () => {
  const env = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`A${index}`, null]));
  const container = containerWith({ env: Object.fromEntries(Object.keys(env).map(key => [key, 'x'])) });
  const composition = beginCreate({ container, nriVersion: '' });
  const { problems } = contribute(composition, { script: 'a', allow: everything }, { adjust: { env } });
  assert.equal(problems.length, 10);
  assert.match(problems[9]!.message, /\(2 more left out\)$/);
});

test('a flood of errors stops at ten', () => {
  const env = Object.fromEntries(Array.from({ length: 4000 }, (_, index) => [`A${index}`, 1]));
  assert.equal(problemsOf({ adjust: { env } }).length, 10);
});

test('a result too large for the answer is refused', () => {
  const annotations = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`a${index}`, 'x'.repeat(250_000)]));
  assert.match(refusal({ annotations }), /^TOO_LARGE result/);
});

test('results that together are too large for one message lose the last', () => {
  const composition = beginCreate({ container: containerWith(), nriVersion: '' });
  const codes = Array.from({ length: 4 }, (_, index) => {
    const annotations = Object.fromEntries(Array.from({ length: 4 }, (_, key) => [`a${index}-${key}`, 'x'.repeat(250_000)]));
    return contribute(composition, { script: `${index}`, allow: everything }, { adjust: { annotations } }).problems[0]?.code;
  });
  assert.deepEqual(codes, [undefined, undefined, undefined, 'TOO_LARGE']);
});

test('adjust is for createContainer alone', () => {
  const { problems } = contribute(beginUpdate({ nriVersion: '' }), { script: 'a', allow: everything }, { adjust: {} });
  assert.match(problems[0]!.message, /only createContainer may adjust/);
});

test('an empty program name is refused: NRI would take it for a mark and drop it', () => {
  const [problem] = problemsOf({ adjust: { args: ['', '-c'] } });
  assert.deepEqual(
    [problem!.code, problem!.message],
    ['BAD_VALUE', 'adjust.args: expected a program as the first entry, got an empty string'],
  );
  assert.deepEqual(problemsOf({ adjust: { args: ['sh', ''] } }), []);
});

test('an update needs a container id', () => {
  assert.equal(problemsOf({ update: [{ linux: {} }] })[0]!.message, 'update[0].containerId: missing; it is required');
  assert.equal(problemsOf({ update: [{ containerId: '' }] })[0]!.code, 'BAD_VALUE');
});

test('__proto__ and constructor are keys like any other', () => {
  const composition = beginCreate({ container: containerWith(), nriVersion: '' });
  const result: unknown = JSON.parse('{"adjust":{"annotations":{"__proto__":"x","constructor":"y"},"env":{"__proto__":"z"}}}');
  assert.deepEqual(contribute(composition, { script: 'a', allow: everything }, result), { problems: [], claims: 3 });
  const { adjust } = finish(composition);
  assert.deepEqual(Object.entries(adjust!.annotations!), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  assert.deepEqual(adjust!.env, [{ key: '__proto__', value: 'z' }]);
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});

test('__proto__ as a field is refused', () => {
  const result: unknown = JSON.parse('{"adjust":{"__proto__":{"env":{}},"linux":{"constructor":{}}}}');
  assert.deepEqual(
    problemsOf(result).map(problem => problem.code),
    ['UNKNOWN_FIELD', 'UNKNOWN_FIELD'],
  );
});
