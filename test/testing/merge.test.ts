import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, ContainerAdjustment, ContainerUpdate, LinuxResources } from '../../src/nri/messages.ts';
import { mergeCreateContainer, mergeStopContainer, mergeUpdateContainer } from '../../src/testing/merge.ts';
import { OperationError } from '../../src/testing/operation-error.ts';

// What containerd/nri v0.12.2 (pkg/adaptation) does with plugin 10-A answering first, then 20-B: printed by the real code.

const conflict = (what: string) => `plugins "20-B" and "10-A" both tried to set ${what}`;

const adjustments: Array<[name: string, a: ContainerAdjustment, b: ContainerAdjustment, expected: ContainerAdjustment | string]> = [
  ['annotation same key', { annotations: { n: '1' } }, { annotations: { n: '2' } }, conflict('Annotations n')],
  ['annotation same key and value', { annotations: { n: '1' } }, { annotations: { n: '1' } }, conflict('Annotations n')],
  [
    'annotation B removes and sets what A set',
    { annotations: { n: '1' } },
    { annotations: { '-n': '', n: '2' } },
    { annotations: { '-n': '', n: '2' } },
  ],
  [
    'annotation B only removes what A set',
    { annotations: { n: '1' } },
    { annotations: { '-n': '' } },
    { annotations: { '-n': '', n: '1' } },
  ],
  ['annotation A removes, B sets', { annotations: { '-k': '' } }, { annotations: { k: '2' } }, { annotations: { '-k': '', k: '2' } }],
  ['annotation overwrite of the original by one plugin', {}, { annotations: { k: '2' } }, { annotations: { k: '2' } }],
  ['env same', { env: env('E', '1') }, { env: env('E', '2') }, conflict('Env E')],
  ['env B removes and sets', { env: env('E', '1') }, { env: [...env('-E', ''), ...env('E', '2')] }, { env: env('E', '2') }],
  [
    'env B sets and removes, in the other order',
    { env: env('E', '1') },
    { env: [...env('E', '2'), ...env('-E', '')] },
    { env: env('E', '2') },
  ],
  ['env B only removes', { env: env('E', '1') }, { env: env('-E', '') }, {}],
  ['env both remove the original', { env: env('-X', '') }, { env: env('-X', '') }, {}],
  ['env overwrite of the original by one plugin', {}, { env: env('X', 'new') }, { env: env('X', 'new') }],
  ['mount same destination', { mounts: [bind('/a', '/1')] }, { mounts: [bind('/a', '/2')] }, conflict('Mounts /a')],
  [
    'mount B removes and adds',
    { mounts: [bind('/a', '/1')] },
    { mounts: [{ destination: '-/a' }, bind('/a', '/2')] },
    { mounts: [bind('/a', '/2')] },
  ],
  ['mount B only removes', { mounts: [bind('/a', '/1')] }, { mounts: [{ destination: '-/a' }] }, { mounts: [{ destination: '-/a' }] }],
  [
    'mount nested destinations',
    { mounts: [bind('/a', '/1')] },
    { mounts: [bind('/a/b', '/2')] },
    { mounts: [bind('/a', '/1'), bind('/a/b', '/2')] },
  ],
  [
    'mount with a trailing slash is another destination',
    { mounts: [bind('/a', '/1')] },
    { mounts: [bind('/a/', '/2')] },
    { mounts: [bind('/a', '/1'), bind('/a/', '/2')] },
  ],
  ['args both', { args: ['/x'] }, { args: ['/y'] }, conflict('Args ')],
  ['args B clears first with an empty first argument', { args: ['/x'] }, { args: ['', '/y'] }, { args: ['/y'] }],
  [
    'hooks both',
    { hooks: { prestart: [{ path: '/h1' }] } },
    { hooks: { prestart: [{ path: '/h2' }] } },
    { hooks: { prestart: [{ path: '/h1' }, { path: '/h2' }] } },
  ],
  ['rlimit same type', { rlimits: [nofile(1)] }, { rlimits: [nofile(2)] }, conflict('Rlimits RLIMIT_NOFILE')],
  ['CDI device same', { cdiDevices: [{ name: 'v/c=0' }] }, { cdiDevices: [{ name: 'v/c=0' }] }, conflict('CdiDevices v/c=0')],
  [
    'CDI device different',
    { cdiDevices: [{ name: 'v/c=0' }] },
    { cdiDevices: [{ name: 'v/c=1' }] },
    { cdiDevices: [{ name: 'v/c=0' }, { name: 'v/c=1' }] },
  ],
  ['device same path', { linux: { devices: [device(3)] } }, { linux: { devices: [device(5)] } }, conflict('Devices /dev/x')],
  [
    'device B removes and adds',
    { linux: { devices: [device(3)] } },
    { linux: { devices: [{ path: '-/dev/x' }, device(5)] } },
    { linux: { devices: [device(5)] } },
  ],
  ['device A removes the original', { linux: { devices: [{ path: '-/dev/orig' }] } }, {}, {}],
  [
    'namespace same type',
    { linux: { namespaces: [{ type: 'network', path: '/1' }] } },
    { linux: { namespaces: [{ type: 'network', path: '/2' }] } },
    conflict('Namespace network'),
  ],
  [
    'namespace A removes, B sets',
    { linux: { namespaces: [{ type: '-network' }] } },
    { linux: { namespaces: [{ type: 'network' }] } },
    conflict('Namespace network'),
  ],
  ['sysctl same', { linux: { sysctl: { s: '1' } } }, { linux: { sysctl: { s: '2' } } }, conflict('Sysctl s')],
  [
    'sysctl B removes and sets',
    { linux: { sysctl: { s: '1' } } },
    { linux: { sysctl: { '-s': '', s: '2' } } },
    { linux: { sysctl: { '-s': '', s: '2' } } },
  ],
  ['sysctl only removal lands in the annotations', { linux: { sysctl: { '-s': '' } } }, {}, { annotations: { '-s': '' } }],
  [
    'net device same',
    { linux: { netDevices: { eth0: { name: 'a' } } } },
    { linux: { netDevices: { eth0: { name: 'b' } } } },
    conflict('LinuxNetDevices eth0'),
  ],
  ['net device only removal', { linux: { netDevices: { '-eth0': {} } } }, {}, {}],
  [
    'scheduler both',
    { linux: { scheduler: { policy: 'SCHED_OTHER' } } },
    { linux: { scheduler: { policy: 'SCHED_BATCH' } } },
    conflict('LinuxSched '),
  ],
  ['rdt both closid', { linux: { rdt: { closId: 'a' } } }, { linux: { rdt: { closId: 'b' } } }, conflict('RdtClosID ')],
  [
    'rdt different fields',
    { linux: { rdt: { closId: 'a' } } },
    { linux: { rdt: { schemata: ['L3:0=f'] } } },
    { linux: { rdt: { closId: 'a', schemata: ['L3:0=f'] } } },
  ],
  ['rdt B removes', { linux: { rdt: { closId: 'a' } } }, { linux: { rdt: { remove: true } } }, { linux: { rdt: { remove: true } } }],
  [
    'rdt B removes and sets',
    { linux: { rdt: { closId: 'a' } } },
    { linux: { rdt: { remove: true, closId: 'b' } } },
    { linux: { rdt: { closId: 'b' } } },
  ],
  [
    'memory policy both',
    { linux: { memoryPolicy: { mode: 'MPOL_BIND' } } },
    { linux: { memoryPolicy: { mode: 'MPOL_LOCAL' } } },
    conflict('MemoryPolicy '),
  ],
  [
    'seccomp both',
    { linux: { seccompPolicy: { defaultAction: 'SCMP_ACT_ERRNO' } } },
    { linux: { seccompPolicy: { defaultAction: 'SCMP_ACT_ALLOW' } } },
    conflict('SeccompPolicy '),
  ],
  [
    'io priority both',
    { linux: { ioPriority: { class: 'IOPRIO_CLASS_BE' } } },
    { linux: { ioPriority: { class: 'IOPRIO_CLASS_RT' } } },
    conflict('IoPriority '),
  ],
  ['oom score both', { linux: { oomScoreAdj: 1 } }, { linux: { oomScoreAdj: 0 } }, conflict('OomScoreAdj ')],
  ['cgroups path both', { linux: { cgroupsPath: '/a' } }, { linux: { cgroupsPath: '/b' } }, conflict('CgroupsPath ')],
  ['memory limit both', resources({ memory: { limit: 1 } }), resources({ memory: { limit: 2 } }), conflict('MemLimit ')],
  ['memory limit both, same value', resources({ memory: { limit: 1 } }), resources({ memory: { limit: 1 } }), conflict('MemLimit ')],
  [
    'memory limit and swap',
    resources({ memory: { limit: 1 } }),
    resources({ memory: { swap: 2 } }),
    resources({ memory: { limit: 1, swap: 2 } }),
  ],
  ['memory limit set to 0 by A, B sets', resources({ memory: { limit: 0 } }), resources({ memory: { limit: 2 } }), conflict('MemLimit ')],
  ['cpu shares both', resources({ cpu: { shares: 1 } }), resources({ cpu: { shares: 2 } }), conflict('CPUShares ')],
  ['cpuset both', resources({ cpu: { cpus: '0' } }), resources({ cpu: { cpus: '1' } }), conflict('CPUSetCPUs ')],
  ['cpuset A empty string, B sets', resources({ cpu: { cpus: '' } }), resources({ cpu: { cpus: '1' } }), resources({ cpu: { cpus: '1' } })],
  [
    'hugepages same size',
    resources({ hugepageLimits: [{ pageSize: '2MB', limit: 1 }] }),
    resources({ hugepageLimits: [{ pageSize: '2MB', limit: 2 }] }),
    conflict('HugepageLimits 2MB'),
  ],
  [
    'unified same key',
    resources({ unified: { 'memory.high': '1' } }),
    resources({ unified: { 'memory.high': '2' } }),
    conflict('CgroupsUnified memory.high'),
  ],
  ['pids both', resources({ pids: { limit: 1 } }), resources({ pids: { limit: 2 } }), conflict('PidsLimit ')],
  ['blockio class both', resources({ blockioClass: 'a' }), resources({ blockioClass: 'b' }), conflict('BlockioClass ')],
  ['rdt class both', resources({ rdtClass: 'a' }), resources({ rdtClass: 'b' }), conflict('RdtClass ')],
  [
    'device cgroup rules both',
    resources({ devices: [rule('rwm')] }),
    resources({ devices: [rule('r')] }),
    resources({ devices: [rule('rwm'), rule('r')] }),
  ],
];

for (const [name, a, b, expected] of adjustments) {
  test(`create: ${name}`, () => {
    const merge = mergeCreateContainer({ container: container('ctr0') });
    const run = () => {
      merge.add({ adjust: a }, '10-A');
      merge.add({ adjust: b }, '20-B');
      return merge.result();
    };
    if (typeof expected === 'string') assert.throws(run, { name: 'OperationError', code: 'CONFLICT', message: expected });
    else assert.deepEqual(compact(run()), compact({ adjust: expected }));
  });
}

const update = (containerId: string, given: LinuxResources, ignoreFailure?: boolean): ContainerUpdate => ({
  containerId,
  linux: { resources: given },
  ...(ignoreFailure !== undefined && { ignoreFailure }),
});

test('create: an update of the container being created fails', () => {
  const merge = mergeCreateContainer({ container: container('ctr0') });
  assert.throws(() => merge.add({ update: [update('ctr0', { cpu: { shares: 1 } })] }, '10-A'), {
    code: 'UPDATE_DURING_CREATION',
    message: 'plugin "10-A" asked update of "ctr0" during creation',
  });
});

const createUpdates: Array<[name: string, a: ContainerUpdate, b: ContainerUpdate | undefined, expected: ContainerUpdate[] | string]> = [
  ['both update another container, same field', update('ctr1', memory(1)), update('ctr1', memory(2)), conflict('MemLimit ')],
  [
    'both update another container, same field, B ignores failure',
    update('ctr1', memory(1)),
    update('ctr1', memory(2), true),
    [update('ctr1', memory(1))],
  ],
  [
    'both update another container, different fields',
    update('ctr1', memory(1)),
    update('ctr1', { cpu: { shares: 2 } }),
    [update('ctr1', { cpu: { shares: 2 }, memory: { limit: 1 } })],
  ],
  ['update of an unknown container', update('nope', memory(1)), undefined, [update('nope', memory(1))]],
];

for (const [name, a, b, expected] of createUpdates) {
  test(`create: ${name}`, () => {
    const merge = mergeCreateContainer({ container: container('ctr0') });
    const run = () => {
      merge.add({ update: [a] }, '10-A');
      if (b) merge.add({ update: [b] }, '20-B');
      return merge.result();
    };
    if (typeof expected === 'string') assert.throws(run, { message: expected });
    else assert.deepEqual(compact(run()), compact({ update: expected }));
  });
}

test('create: what was claimed before an ignored conflict stays claimed, and nothing of it is applied', () => {
  const merge = mergeCreateContainer({ container: container('ctr0') });
  merge.add({ update: [update('ctr1', { cpu: { shares: 1 } })] }, '10-A');
  merge.add({ update: [update('ctr1', { memory: { limit: 2 }, cpu: { shares: 2 } }, true)] }, '20-B');
  assert.deepEqual(compact(merge.result()), { update: [update('ctr1', { cpu: { shares: 1 } })] });
  assert.throws(() => merge.add({ update: [update('ctr1', memory(3))] }, '30-C'), {
    message: 'plugins "30-C" and "20-B" both tried to set MemLimit ',
  });
});

test('create: a plugin that sets one key twice conflicts with itself', () => {
  const merge = mergeCreateContainer({ container: container('ctr0') });
  assert.throws(() => merge.add({ adjust: { env: [...env('FOO', '1'), ...env('FOO', '2')] } }, '10-x'), {
    message: 'plugins "10-x" and "10-x" both tried to set Env FOO',
  });
});

test('create: after a mark only the plugin that cleared may set the key', () => {
  const merge = mergeCreateContainer({ container: container('ctr0') });
  merge.add({ adjust: { env: env('E', '1') } }, '10-A');
  merge.add({ adjust: { env: env('-E', '') } }, '20-B');
  assert.throws(() => merge.add({ adjust: { env: env('E', '3') } }, '30-C'), {
    message: 'plugins "30-C" and "20-B" both tried to set Env E',
  });
});

test('create: the next plugin sees the container as changed, and the given request stays as it was', () => {
  const given = { container: container('ctr0') };
  const merge = mergeCreateContainer(given);
  merge.add(
    {
      adjust: {
        annotations: { k: 'v' },
        env: env('X', 'new'),
        mounts: [bind('/m', '/s')],
        args: ['/other'],
        linux: { resources: { memory: { limit: 7 } }, oomScoreAdj: 5, namespaces: [{ type: '-network' }], sysctl: { s: '1' } },
      },
    },
    '10-A',
  );
  const seen = merge.request.container;
  assert.equal(seen.annotations['k'], 'v');
  assert.deepEqual(seen.env, ['PATH=/bin', 'X=new']);
  assert.deepEqual(seen.mounts, [bind('/m', '/s')]);
  assert.deepEqual(seen.args, ['/other']);
  assert.equal(seen.linux.resources.memory.limit, 7);
  assert.equal(seen.linux.oomScoreAdj, 5);
  assert.deepEqual(seen.linux.namespaces, [{ type: 'pid' }]);
  assert.deepEqual(seen.linux.sysctl, { s: '1' });
  assert.deepEqual(given.container, container('ctr0'));
});

test('owners name every field by its number, cleared fields and shared hooks included', () => {
  const merge = mergeCreateContainer({ container: container('ctr0') });
  const hooks = { poststop: [{ path: '/h' }] };
  merge.add({ adjust: { env: env('E', '1'), hooks, linux: { oomScoreAdj: 1 } } }, '10-A');
  merge.add({ adjust: { env: env('-E', ''), hooks }, update: [update('ctr1', memory(1))] }, '20-B');
  assert.deepEqual(merge.owners.message(), {
    owners: {
      ctr0: { simple: { 29: '10-A', 3: '10-A,20-B' }, compound: { 6: { owners: { E: '-20-B' } } } },
      ctr1: { simple: { 8: '20-B' }, compound: {} },
    },
  });
  assert.deepEqual(merge.owners.named(), {
    ctr0: { OomScoreAdj: '10-A', OciHooks: '10-A,20-B', Env: { E: '-20-B' } },
    ctr1: { MemLimit: '20-B' },
  });
});

test('a key named __proto__ is a key like any other', () => {
  const merge = mergeCreateContainer({ container: container('ctr0') });
  const annotations = JSON.parse('{"__proto__": "1"}') as Record<string, string>;
  merge.add({ adjust: { annotations } }, '10-A');
  assert.ok(Object.hasOwn(merge.result().adjust.annotations!, '__proto__'));
  assert.throws(() => merge.add({ adjust: { annotations } }, '20-B'), { message: conflict('Annotations __proto__') });
});

const requested = (linuxResources: LinuxResources) => ({ container: container('ctr0'), linuxResources });

test('update: nobody answers, and the request stays', () => {
  const merge = mergeUpdateContainer(requested({ cpu: { shares: 99 } }));
  merge.add({}, '10-A');
  assert.deepEqual(merge.result(), { update: [] });
});

test('update: an answer for the same container builds on the request', () => {
  const merge = mergeUpdateContainer(requested({ cpu: { shares: 99 } }));
  merge.add({ update: [update('ctr0', memory(7))] }, '10-A');
  assert.deepEqual(compact(merge.result()), { update: [update('ctr0', { cpu: { shares: 99 }, memory: { limit: 7 } })] });
  assert.deepEqual(compact(merge.request.linuxResources), { cpu: { shares: 99 }, memory: { limit: 7 } });
});

test('update: A and B change the same field', () => {
  const merge = mergeUpdateContainer(requested({ cpu: { shares: 99 } }));
  merge.add({ update: [update('ctr0', memory(7))] }, '10-A');
  assert.throws(() => merge.add({ update: [update('ctr0', memory(8))] }, '20-B'), { message: conflict('MemLimit ') });
});

test('update: other containers come first, the own one last', () => {
  const merge = mergeUpdateContainer(requested({ cpu: { shares: 99 } }));
  merge.add({ update: [update('ctr0', memory(7)), update('ctr1', memory(9))] }, '10-A');
  assert.deepEqual(compact(merge.result()), {
    update: [update('ctr1', memory(9)), update('ctr0', { cpu: { shares: 99 }, memory: { limit: 7 } })],
  });
});

test('update: when the request has pids, two plugins that touch anything conflict', () => {
  const merge = mergeUpdateContainer(requested({ pids: { limit: 10 } }));
  merge.add({ update: [update('ctr0', { cpu: { shares: 1 } })] }, '10-A');
  assert.throws(() => merge.add({ update: [update('ctr0', memory(8))] }, '20-B'), { message: conflict('PidsLimit ') });
});

test('update: pids and device rules that a plugin gives are ignored', () => {
  const merge = mergeUpdateContainer(requested({}));
  merge.add({ update: [update('ctr0', { pids: { limit: 1 }, devices: [rule('r')], cpu: { shares: 1 } })] }, '10-A');
  assert.deepEqual(compact(merge.result()), { update: [update('ctr0', { cpu: { shares: 1 } })] });
});

test('stop: A updates another container', () => {
  const merge = mergeStopContainer();
  merge.add({ update: [update('ctr1', { cpu: { shares: 7 } })] }, '10-A');
  assert.deepEqual(compact(merge.result()), { update: [update('ctr1', { cpu: { shares: 7 } })] });
});

test('an update keeps ignoreFailure only while all who update the container ask for it', () => {
  const merge = mergeStopContainer();
  merge.add({ update: [update('ctr1', memory(1), true)] }, '10-A');
  assert.equal(merge.result().update[0]!.ignoreFailure, true);
  merge.add({ update: [update('ctr1', { cpu: { shares: 1 } })] }, '20-B');
  assert.equal(merge.result().update[0]!.ignoreFailure, false);
});

test('a conflict names the plugins', () => {
  const merge = mergeCreateContainer({ container: container('ctr0') });
  merge.add({ adjust: { args: ['/x'] } }, '10-A');
  assert.throws(
    () => merge.add({ adjust: { args: ['/y'] } }, '20-B'),
    (error: unknown) => error instanceof OperationError && error.plugins.join() === '20-B,10-A',
  );
});

function env(key: string, value: string) {
  return [{ key, value }];
}

function bind(destination: string, source: string) {
  return { destination, source, type: 'bind' };
}

function nofile(limit: number) {
  return { type: 'RLIMIT_NOFILE', hard: limit, soft: limit };
}

function device(minor: number) {
  return { path: '/dev/x', type: 'c', major: 1, minor };
}

function rule(access: string) {
  return { allow: true, type: 'c', major: 1, minor: 3, access };
}

function memory(limit: number): LinuxResources {
  return { memory: { limit } };
}

function resources(given: LinuxResources): ContainerAdjustment {
  return { linux: { resources: given } };
}

function container(id: string): Container {
  return {
    id,
    podSandboxId: 'pod0',
    name: id,
    state: 'CONTAINER_CREATED',
    labels: {},
    annotations: { k: 'original' },
    args: ['/bin/sh'],
    env: ['PATH=/bin', 'X=1'],
    mounts: [],
    pid: 0,
    rlimits: [],
    createdAt: 0,
    startedAt: 0,
    finishedAt: 0,
    exitCode: 0,
    statusReason: '',
    statusMessage: '',
    cdiDevices: [],
    linux: {
      namespaces: [{ type: 'pid' }, { type: 'network' }],
      devices: [{ path: '/dev/orig', type: 'c', major: 1, minor: 1 }],
      cgroupsPath: '',
      sysctl: {},
      netDevices: {},
    },
  };
}

/** Without what is empty or false, as the table was printed. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]): [string, unknown] => [key, compact(each)]);
  return Object.fromEntries(entries.filter(([, each]) => !isEmpty(each)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === false) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
