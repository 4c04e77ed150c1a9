/** Every field that NRI 0.8 has crosses between a script and upstream's code unchanged, in both directions; what 0.8 does not have is told. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fields } from '../../src/compose/schema.ts';
import { isOlder, versionNumber } from '../../src/compose/versions.ts';
import { objectOf } from './support/claims.ts';
import { createCleanup } from './support/cleanup.ts';
import type { ProtoJson } from './support/judge.ts';
import { containerWith, richContainer } from './support/node.ts';
import { podWith, type Sides, startSides } from './support/sides.ts';

const cleanup = createCleanup();
let sides: Sides;

before(async () => {
  sides = await startSides(cleanup.add);
});
after(cleanup.run);

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);
const uint64Max = 2n ** 64n - 1n;

type Row = readonly [field: string, value: unknown, wire: unknown];

/** Optional* messages: there with 0, false or '' they are empty, which is not the same as absent. */
const resourceRows: readonly Row[] = [
  ...['limit', 'reservation', 'swap', 'kernel', 'kernelTcp'].flatMap((name): Row[] => [
    [`memory.${name}`, int64Max, { memory: { [name]: { value: '9223372036854775807' } } }],
    [`memory.${name}`, int64Min, { memory: { [name]: { value: '-9223372036854775808' } } }],
    [`memory.${name}`, 0, { memory: { [name]: {} } }],
  ]),
  ['memory.swappiness', 0, { memory: { swappiness: {} } }],
  ['memory.swappiness', 100, { memory: { swappiness: { value: '100' } } }],
  ...['disableOomKiller', 'useHierarchy'].flatMap((name): Row[] => [
    [`memory.${name}`, true, { memory: { [name]: { value: true } } }],
    [`memory.${name}`, false, { memory: { [name]: {} } }],
  ]),
  ...['shares', 'period', 'realtimePeriod'].flatMap((name): Row[] => [
    [`cpu.${name}`, uint64Max, { cpu: { [name]: { value: '18446744073709551615' } } }],
    [`cpu.${name}`, 2n ** 53n + 1n, { cpu: { [name]: { value: '9007199254740993' } } }],
    [`cpu.${name}`, 0, { cpu: { [name]: {} } }],
  ]),
  ...['quota', 'realtimeRuntime'].flatMap((name): Row[] => [
    [`cpu.${name}`, -1, { cpu: { [name]: { value: '-1' } } }],
    [`cpu.${name}`, int64Min, { cpu: { [name]: { value: '-9223372036854775808' } } }],
    [`cpu.${name}`, 0, { cpu: { [name]: {} } }],
  ]),
  ['cpu.cpus', '0-3,8', { cpu: { cpus: '0-3,8' } }],
  ['cpu.mems', '0', { cpu: { mems: '0' } }],
  [
    'hugepageLimits',
    [
      { pageSize: '2MB', limit: uint64Max },
      { pageSize: '1GB', limit: 0 },
    ],
    { hugepageLimits: [{ pageSize: '2MB', limit: '18446744073709551615' }, { pageSize: '1GB' }] },
  ],
  ['blockioClass', 'gold', { blockioClass: { value: 'gold' } }],
  ['blockioClass', '', { blockioClass: {} }],
  ['rdtClass', 'gold', { rdtClass: { value: 'gold' } }],
  ['rdtClass', '', { rdtClass: {} }],
  ['unified', { 'memory.high': '', 'memory.low': 'max' }, { unified: { 'memory.high': '', 'memory.low': 'max' } }],
];

const hook = { path: '/h', args: ['h', ''], env: ['A=', 'B=c=d'], timeout: int64Max };
const wireHook = { ...hook, timeout: { value: '9223372036854775807' } };

const adjustmentRows: readonly Row[] = [
  ['annotations', { a: '', 'b/c': 'd\n"ü' }, { annotations: { a: '', 'b/c': 'd\n"ü' } }],
  ['env', { A: '', B: 'c=d\n"ü' }, { env: [{ key: 'A' }, { key: 'B', value: 'c=d\n"ü' }] }],
  [
    'mounts',
    [{ destination: '/a', type: 'bind', source: '/b', options: ['ro', ''] }, { destination: '/c' }],
    { mounts: [{ destination: '/a', type: 'bind', source: '/b', options: ['ro', ''] }, { destination: '/c' }] },
  ],
  ...['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'].map(
    (stage): Row => [`hooks.${stage}`, [hook, { path: '/i' }], { hooks: { [stage]: [wireHook, { path: '/i' }] } }],
  ),
  [
    'rlimits',
    [
      { type: 'RLIMIT_NOFILE', hard: uint64Max, soft: 0 },
      { type: 'RLIMIT_CORE', hard: 0, soft: 0 },
    ],
    { rlimits: [{ type: 'RLIMIT_NOFILE', hard: '18446744073709551615' }, { type: 'RLIMIT_CORE' }] },
  ],
  ['cdiDevices', [{ name: 'vendor.com/class=one' }], { CDIDevices: [{ name: 'vendor.com/class=one' }] }],
  [
    'linux.devices',
    [
      { path: '/dev/a', type: 'c', major: int64Max, minor: int64Min, fileMode: 0o660, uid: 2 ** 32 - 1, gid: 0 },
      { path: '/dev/b', type: 'p' },
    ],
    {
      linux: {
        devices: [
          {
            path: '/dev/a',
            type: 'c',
            major: '9223372036854775807',
            minor: '-9223372036854775808',
            fileMode: { value: 432 },
            uid: { value: 4294967295 },
            gid: {},
          },
          { path: '/dev/b', type: 'p' },
        ],
      },
    },
  ],
  ['linux.cgroupsPath', '/some/where', { linux: { cgroupsPath: '/some/where' } }],
  ['linux.oomScoreAdj', 0, { linux: { oomScoreAdj: {} } }],
  ['linux.oomScoreAdj', -1000, { linux: { oomScoreAdj: { value: '-1000' } } }],
  ...resourceRows.map(([name, value, wire]): Row => [`linux.resources.${name}`, value, { linux: { resources: wire } }]),
  ['linux.resources.pids.limit', int64Max, { linux: { resources: { pids: { limit: '9223372036854775807' } } } }],
  ['linux.resources.pids.limit', 0, { linux: { resources: { pids: {} } } }],
];

/** What upstream puts around whatever plugins answer. */
const noAdjustment = { hooks: {}, linux: { resources: { memory: {}, cpu: {} } } };

test('the rows name every field that NRI 0.8 has', () => {
  const named = new Set(adjustmentRows.map(([field]) => field));
  const known = fields.filter(({ since }) => since === undefined || !isOlder(versionNumber('0.8.0'), since));
  assert.deepEqual([...named].sort(), known.map(({ name }) => name).sort());
});

test('every field of an adjustment arrives as the script gave it', async () => {
  for (const [field, value, wire] of adjustmentRows) {
    const verdict = await sides.together.create(bareContainer(), [{ adjust: objectOf([{ field, value }], []) }]);
    assert.deepEqual(verdict.result, { adjust: merged(noAdjustment, wire) }, field);
  }
});

test('every field of an update arrives as the script gave it', async () => {
  for (const [field, value, wire] of resourceRows) {
    const update = { containerId: 'other', ...objectOf([{ field: `linux.resources.${field}`, value }], []), ignoreFailure: true };
    const verdict = await sides.together.stop(bareContainer(), [{ update: [update] }]);
    const resources = merged({ memory: {}, cpu: {} }, wire);
    assert.deepEqual(verdict.result, { update: [{ containerId: 'other', linux: { resources }, ignoreFailure: true }] }, field);
  }
});

test('what a script leaves out and what it gives as undefined is absent', async () => {
  const verdict = await sides.together.create(bareContainer(), [
    { adjust: { linux: { resources: { memory: {}, cpu: {} }, devices: [] }, mounts: [], env: {}, hooks: { prestart: [] } }, update: [] },
    {},
  ]);
  assert.deepEqual(verdict.result, { adjust: noAdjustment });
});

test('removals are marks where NRI passes them on, and a later plugin does not see what was removed', async () => {
  const container = richContainer();
  const removal = {
    adjust: {
      annotations: { orig: null },
      env: { ORIG: null },
      mounts: [{ destination: '/orig', remove: true }],
      linux: { devices: [{ path: '/dev/orig', remove: true }] },
    },
  };
  const { result, seen } = await sides.together.create(container, [removal]);
  const expected = { ...noAdjustment, annotations: { '-orig': '' }, mounts: [{ destination: '-/orig' }] };
  assert.deepEqual(result, { adjust: expected });
  assert.deepEqual(seen?.['env'], ['PATH=/bin', 'EMPTY=', 'LAST=a=b']);
  assert.deepEqual((seen!['linux'] as ProtoJson)['devices'], undefined);
  assert.deepEqual(
    (seen!['mounts'] as ProtoJson[]).map(({ destination }) => destination),
    ['/proc', '/dev'],
  );
  // NRI 0.8 passes an annotation's removal on to the runtime and forgets it for the plugins after.
  assert.deepEqual(seen?.['annotations'], { orig: 'v0', other: 'o' });
});

test('what one script adds and the next removes does not leave the host', async () => {
  const added = {
    annotations: { new: '1' },
    env: { NEW: '1' },
    mounts: [{ destination: '/new' }],
    linux: { devices: [device('/dev/new')] },
  };
  const removed = {
    annotations: { new: null },
    env: { NEW: null },
    mounts: [{ destination: '/new', remove: true }],
    linux: { devices: [{ path: '/dev/new', remove: true }] },
  };
  const { result } = await sides.together.create(bareContainer(), [{ adjust: added }, { adjust: removed }]);
  assert.deepEqual(result, { adjust: noAdjustment });
});

test('fields that came after NRI 0.8 are dropped and told, and the rest of the answer counts', async () => {
  const newer = {
    args: ['/x'],
    linux: {
      ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 1 },
      seccompPolicy: { defaultAction: 'SCMP_ACT_ALLOW' },
      namespaces: [{ type: 'network', path: '/n' }],
      sysctl: { 'net.core.somaxconn': '1' },
      netDevices: { eth1: { name: 'eth0' } },
      scheduler: { policy: 'SCHED_BATCH' },
      rdt: { closId: 'a' },
      memoryPolicy: { mode: 'MPOL_BIND', nodes: '0' },
    },
  };
  sides.together.reports.length = 0;
  const { result } = await sides.together.create(bareContainer(), [{ adjust: { ...newer, env: { A: '1' } } }]);
  assert.deepEqual(result, { adjust: { ...noAdjustment, env: [{ key: 'A', value: '1' }] } });
  await sides.together.settled();
  const problems = sides.together.reports.flatMap(({ scripts }) => scripts.flatMap(script => script.problems));
  assert.deepEqual([...new Set(problems.map(({ code }) => code))], ['NRI_TOO_OLD']);
  assert.equal(problems.length, 9);
});

/** As protojson that upstream's own code turns into bytes, and as the script gets it. */
const wireContainer = {
  id: 'c',
  podSandboxId: 'p',
  name: 'n',
  state: 'CONTAINER_RUNNING',
  labels: { l: '' },
  annotations: { a: 'b' },
  args: ['x', ''],
  env: ['A=b=c', 'E='],
  mounts: [{ destination: '/d', type: 't', source: '/s', options: ['o'] }, { destination: '/e' }],
  hooks: { prestart: [wireHook, { path: '/i' }], poststop: [{ path: '/j', timeout: { value: '0' } }] },
  linux: {
    namespaces: [{ type: 'network', path: '/n' }, { type: 'pid' }],
    devices: [{ path: '/dev/a', type: 'c', major: '9223372036854775807', minor: '-9223372036854775808', fileMode: { value: 0 } }],
    resources: {
      memory: { limit: { value: '9223372036854775807' }, swap: { value: '-1' }, swappiness: { value: '0' }, disableOomKiller: {} },
      cpu: { shares: { value: '18446744073709551615' }, quota: { value: '-9223372036854775808' }, period: {}, cpus: '0' },
      hugepageLimits: [{ pageSize: '2MB', limit: '18446744073709551615' }],
      blockioClass: { value: '' },
      rdtClass: { value: 'r' },
      unified: { u: 'v' },
      devices: [{ allow: true, type: 'c', major: { value: '-1' }, minor: {}, access: 'r' }],
      pids: { limit: '9223372036854775807' },
    },
    oomScoreAdj: { value: '-1000' },
    cgroupsPath: '/g',
  },
  pid: 4294967295,
  rlimits: [{ type: 'RLIMIT_NOFILE', hard: '18446744073709551615', soft: '9007199254740993' }],
};

const containerForScript = {
  id: 'c',
  podSandboxId: 'p',
  name: 'n',
  state: 'CONTAINER_RUNNING',
  labels: { l: '' },
  annotations: { a: 'b' },
  args: ['x', ''],
  env: { A: 'b=c', E: '' },
  mounts: [
    { destination: '/d', type: 't', source: '/s', options: ['o'] },
    { destination: '/e', type: '', source: '', options: [] },
  ],
  hooks: {
    prestart: [hook, { path: '/i', args: [], env: [] }],
    createRuntime: [],
    createContainer: [],
    startContainer: [],
    poststart: [],
    poststop: [{ path: '/j', args: [], env: [], timeout: 0 }],
  },
  linux: {
    namespaces: [
      { type: 'network', path: '/n' },
      { type: 'pid', path: '' },
    ],
    devices: [{ path: '/dev/a', type: 'c', major: int64Max, minor: int64Min, fileMode: 0 }],
    resources: {
      memory: { limit: int64Max, swap: -1, swappiness: 0, disableOomKiller: false },
      cpu: { shares: uint64Max, quota: int64Min, period: 0, cpus: '0', mems: '' },
      hugepageLimits: [{ pageSize: '2MB', limit: uint64Max }],
      blockioClass: '',
      rdtClass: 'r',
      unified: { u: 'v' },
      devices: [{ allow: true, type: 'c', major: -1, minor: 0, access: 'r' }],
      pids: { limit: int64Max },
    },
    oomScoreAdj: -1000,
    cgroupsPath: '/g',
    sysctl: {},
    netDevices: {},
  },
  pid: 4294967295,
  rlimits: [{ type: 'RLIMIT_NOFILE', hard: uint64Max, soft: 2n ** 53n + 1n }],
  // Not in NRI 0.8's Container.
  createdAt: 0,
  startedAt: 0,
  finishedAt: 0,
  exitCode: 0,
  statusReason: '',
  statusMessage: '',
  cdiDevices: [],
};

test('every field of a container comes to the script as upstream wrote it', async () => {
  const verdict = await sides.together.judge.callWith('createContainer', {
    pod: { id: 'p', annotations: podWith(['echo']).annotations },
    container: wireContainer,
  });
  const { echo } = (verdict.seen?.['annotations'] ?? {}) as { echo: string };
  const { container } = JSON.parse(echo, (_, value) => (value?.$integer === undefined ? value : BigInt(value.$integer)));
  assert.deepEqual(container, containerForScript);
});

function bareContainer() {
  const { oomScoreAdj: _, ...linux } = containerWith().linux!;
  return containerWith({ linux: { ...linux, resources: {}, cgroupsPath: '', devices: [] }, mounts: [], annotations: {} });
}

function device(path: string) {
  return { path, type: 'c' };
}

/** Later members win; objects are merged. */
function merged(base: unknown, more: unknown): unknown {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(base) || !isObject(more)) return more;
  const names = [...new Set([...Object.keys(base), ...Object.keys(more)])];
  return Object.fromEntries(
    names.map(name => [name, name in base && name in more ? merged(base[name], more[name]) : (more[name] ?? base[name])]),
  );
}
