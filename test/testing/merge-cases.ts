/**
 * What NRI comes to when two plugins answer the same call, case by case: printed by containerd/nri v0.12.2 (pkg/adaptation) with plugin 10-A answering
 * first, then 20-B. What versions before 0.10 come to stands beside it where it is something else; test/upstream asks such a version.
 */
import type { Container, ContainerAdjustment, ContainerUpdate, EventResponse, LinuxResources } from '../../src/nri/index.ts';

/** What fails the operation, or the combined answer without what is empty. */
export type Outcome = { error: string } | EventResponse;

export type MergeCase = {
  name: string;
  call: 'create' | 'update' | 'stop';
  a: EventResponse;
  b: EventResponse;
  /** What an update's request asks for. */
  requested?: LinuxResources;
  expected: Outcome;
  before010: Outcome;
};

const conflict = (what: string) => ({ error: `plugins "20-B" and "10-A" both tried to set ${what}` });

type Row<Answer> = [name: string, a: Answer, b: Answer, expected: Answer | { error: string }, before010?: Answer | { error: string }];

const adjustments: Row<ContainerAdjustment>[] = [
  ['annotation same key', { annotations: { n: '1' } }, { annotations: { n: '2' } }, conflict('Annotations n'), conflict('annotation n')],
  [
    'annotation same key and value',
    { annotations: { n: '1' } },
    { annotations: { n: '1' } },
    conflict('Annotations n'),
    conflict('annotation n'),
  ],
  [
    'annotation B removes+sets what A set',
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
  ['annotation overwrite of original by one plugin', {}, { annotations: { k: '2' } }, { annotations: { k: '2' } }],
  ['env same', { env: env('E', '1') }, { env: env('E', '2') }, conflict('Env E'), conflict('env E')],
  ['env B removes+sets', { env: env('E', '1') }, { env: [...env('-E', ''), ...env('E', '2')] }, { env: env('E', '2') }],
  [
    'env B sets and removes, in the other order',
    { env: env('E', '1') },
    { env: [...env('E', '2'), ...env('-E', '')] },
    { env: env('E', '2') },
  ],
  ['env B only removes', { env: env('E', '1') }, { env: env('-E', '') }, {}],
  ['env both remove original', { env: env('-X', '') }, { env: env('-X', '') }, {}],
  ['env overwrite of original by one plugin', {}, { env: env('X', 'new') }, { env: env('X', 'new') }],
  ['mount same destination', { mounts: [bind('/a', '/1')] }, { mounts: [bind('/a', '/2')] }, conflict('Mounts /a'), conflict('mount /a')],
  [
    'mount B removes+adds',
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
    'mount trailing slash is another destination',
    { mounts: [bind('/a', '/1')] },
    { mounts: [bind('/a/', '/2')] },
    { mounts: [bind('/a', '/1'), bind('/a/', '/2')] },
  ],
  ['args both', { args: ['/x'] }, { args: ['/y'] }, conflict('Args '), {}],
  ['args B clears first ("" marker)', { args: ['/x'] }, { args: ['', '/y'] }, { args: ['/y'] }, {}],
  [
    'hooks both',
    { hooks: { prestart: [{ path: '/h1' }] } },
    { hooks: { prestart: [{ path: '/h2' }] } },
    { hooks: { prestart: [{ path: '/h1' }, { path: '/h2' }] } },
  ],
  [
    'rlimit same type',
    { rlimits: [nofile(1)] },
    { rlimits: [nofile(2)] },
    conflict('Rlimits RLIMIT_NOFILE'),
    conflict('rlimit RLIMIT_NOFILE'),
  ],
  [
    'CDI device same',
    { cdiDevices: [{ name: 'v/c=0' }] },
    { cdiDevices: [{ name: 'v/c=0' }] },
    conflict('CdiDevices v/c=0'),
    conflict('CDI device v/c=0'),
  ],
  [
    'CDI device different',
    { cdiDevices: [{ name: 'v/c=0' }] },
    { cdiDevices: [{ name: 'v/c=1' }] },
    { cdiDevices: [{ name: 'v/c=0' }, { name: 'v/c=1' }] },
  ],
  [
    'device same path',
    { linux: { devices: [device(3)] } },
    { linux: { devices: [device(5)] } },
    conflict('Devices /dev/x'),
    conflict('device /dev/x'),
  ],
  [
    'device B removes+adds',
    { linux: { devices: [device(3)] } },
    { linux: { devices: [{ path: '-/dev/x' }, device(5)] } },
    { linux: { devices: [device(5)] } },
  ],
  ['device A removes original', { linux: { devices: [{ path: '-/dev/orig' }] } }, {}, {}],
  [
    'namespace same type',
    { linux: { namespaces: [{ type: 'network', path: '/1' }] } },
    { linux: { namespaces: [{ type: 'network', path: '/2' }] } },
    conflict('Namespace network'),
    {},
  ],
  [
    'namespace A removes, B sets',
    { linux: { namespaces: [{ type: '-network' }] } },
    { linux: { namespaces: [{ type: 'network' }] } },
    conflict('Namespace network'),
    {},
  ],
  ['sysctl same', { linux: { sysctl: { s: '1' } } }, { linux: { sysctl: { s: '2' } } }, conflict('Sysctl s'), {}],
  [
    'sysctl B removes+sets',
    { linux: { sysctl: { s: '1' } } },
    { linux: { sysctl: { '-s': '', s: '2' } } },
    { linux: { sysctl: { '-s': '', s: '2' } } },
    {},
  ],
  ['sysctl only removal (v0.12.2 bug: lands in annotations)', { linux: { sysctl: { '-s': '' } } }, {}, { annotations: { '-s': '' } }, {}],
  [
    'net device same',
    { linux: { netDevices: { eth0: { name: 'a' } } } },
    { linux: { netDevices: { eth0: { name: 'b' } } } },
    conflict('LinuxNetDevices eth0'),
    {},
  ],
  ['net device only removal', { linux: { netDevices: { '-eth0': {} } } }, {}, {}],
  [
    'scheduler both',
    { linux: { scheduler: { policy: 'SCHED_OTHER' } } },
    { linux: { scheduler: { policy: 'SCHED_BATCH' } } },
    conflict('LinuxSched '),
    {},
  ],
  ['rdt both closid', { linux: { rdt: { closId: 'a' } } }, { linux: { rdt: { closId: 'b' } } }, conflict('RdtClosID '), {}],
  [
    'rdt different fields',
    { linux: { rdt: { closId: 'a' } } },
    { linux: { rdt: { schemata: ['L3:0=f'] } } },
    { linux: { rdt: { closId: 'a', schemata: ['L3:0=f'] } } },
    {},
  ],
  ['rdt B removes', { linux: { rdt: { closId: 'a' } } }, { linux: { rdt: { remove: true } } }, { linux: { rdt: { remove: true } } }, {}],
  [
    'rdt B removes+sets',
    { linux: { rdt: { closId: 'a' } } },
    { linux: { rdt: { remove: true, closId: 'b' } } },
    { linux: { rdt: { closId: 'b' } } },
    {},
  ],
  [
    'memory policy both',
    { linux: { memoryPolicy: { mode: 'MPOL_BIND' } } },
    { linux: { memoryPolicy: { mode: 'MPOL_LOCAL' } } },
    conflict('MemoryPolicy '),
    {},
  ],
  [
    'seccomp both',
    { linux: { seccompPolicy: { defaultAction: 'SCMP_ACT_ERRNO' } } },
    { linux: { seccompPolicy: { defaultAction: 'SCMP_ACT_ALLOW' } } },
    conflict('SeccompPolicy '),
    {},
  ],
  [
    'io priority both',
    { linux: { ioPriority: { class: 'IOPRIO_CLASS_BE' } } },
    { linux: { ioPriority: { class: 'IOPRIO_CLASS_RT' } } },
    conflict('IoPriority '),
    {},
  ],
  ['oom score both', { linux: { oomScoreAdj: 1 } }, { linux: { oomScoreAdj: 0 } }, conflict('OomScoreAdj '), conflict('oom score adj')],
  [
    'cgroups path both',
    { linux: { cgroupsPath: '/a' } },
    { linux: { cgroupsPath: '/b' } },
    conflict('CgroupsPath '),
    conflict('cgroups path'),
  ],
  [
    'memory limit both',
    resources({ memory: { limit: 1 } }),
    resources({ memory: { limit: 2 } }),
    conflict('MemLimit '),
    conflict('memory limit'),
  ],
  [
    'memory limit both, same value',
    resources({ memory: { limit: 1 } }),
    resources({ memory: { limit: 1 } }),
    conflict('MemLimit '),
    conflict('memory limit'),
  ],
  [
    'memory limit + swap',
    resources({ memory: { limit: 1 } }),
    resources({ memory: { swap: 2 } }),
    resources({ memory: { limit: 1, swap: 2 } }),
  ],
  [
    'memory limit 0 (set to zero) A, B sets',
    resources({ memory: { limit: 0 } }),
    resources({ memory: { limit: 2 } }),
    conflict('MemLimit '),
    conflict('memory limit'),
  ],
  ['cpu shares both', resources({ cpu: { shares: 1 } }), resources({ cpu: { shares: 2 } }), conflict('CPUShares '), conflict('CPU shares')],
  ['cpuset both', resources({ cpu: { cpus: '0' } }), resources({ cpu: { cpus: '1' } }), conflict('CPUSetCPUs '), conflict('CPU pinning')],
  ['cpuset A empty string, B sets', resources({ cpu: { cpus: '' } }), resources({ cpu: { cpus: '1' } }), resources({ cpu: { cpus: '1' } })],
  [
    'hugepages same size',
    resources({ hugepageLimits: [{ pageSize: '2MB', limit: 1 }] }),
    resources({ hugepageLimits: [{ pageSize: '2MB', limit: 2 }] }),
    conflict('HugepageLimits 2MB'),
    conflict('hugepage limit of size 2MB'),
  ],
  [
    'unified same key',
    resources({ unified: { 'memory.high': '1' } }),
    resources({ unified: { 'memory.high': '2' } }),
    conflict('CgroupsUnified memory.high'),
    conflict('unified resource memory.high'),
  ],
  ['pids both', resources({ pids: { limit: 1 } }), resources({ pids: { limit: 2 } }), conflict('PidsLimit '), conflict('pids pinning')],
  [
    'blockio class both',
    resources({ blockioClass: 'a' }),
    resources({ blockioClass: 'b' }),
    conflict('BlockioClass '),
    conflict('block I/O class'),
  ],
  ['rdt class both', resources({ rdtClass: 'a' }), resources({ rdtClass: 'b' }), conflict('RdtClass '), conflict('RDT class')],
  [
    'device cgroup rules both',
    resources({ devices: [rule('rwm')] }),
    resources({ devices: [rule('r')] }),
    resources({ devices: [rule('rwm'), rule('r')] }),
    {},
  ],
];

const createUpdates: Row<ContainerUpdate[]>[] = [
  [
    'create: update of the container being created',
    [update('ctr0', { cpu: { shares: 1 } })],
    [],
    { error: 'plugin "10-A" asked update of "ctr0" during creation' },
  ],
  [
    'create: both update another container, same field',
    [update('ctr1', memory(1))],
    [update('ctr1', memory(2))],
    conflict('MemLimit '),
    conflict('memory limit'),
  ],
  ['create: same, B ignoreFailure', [update('ctr1', memory(1))], [update('ctr1', memory(2), true)], [update('ctr1', memory(1))]],
  [
    'create: both update another container, different fields',
    [update('ctr1', memory(1))],
    [update('ctr1', { cpu: { shares: 2 } })],
    [update('ctr1', { cpu: { shares: 2 }, memory: { limit: 1 } })],
  ],
  ['create: update of an unknown container id', [update('nope', memory(1))], [], [update('nope', memory(1))]],
];

const updates: Array<[requested: LinuxResources, ...Row<ContainerUpdate[]>]> = [
  [{ cpu: { shares: 99 } }, 'update: nobody answers', [], [], []],
  [
    { cpu: { shares: 99 } },
    'update: A changes memory of the same container',
    [update('ctr0', memory(7))],
    [],
    [update('ctr0', { cpu: { shares: 99 }, memory: { limit: 7 } })],
  ],
  [
    { cpu: { shares: 99 } },
    'update: A and B change the same field',
    [update('ctr0', memory(7))],
    [update('ctr0', memory(8))],
    conflict('MemLimit '),
    conflict('memory limit'),
  ],
  [
    { cpu: { shares: 99 } },
    'update: A changes another container (order: others first, own last)',
    [update('ctr0', memory(7)), update('ctr1', memory(9))],
    [],
    [update('ctr1', memory(9)), update('ctr0', { cpu: { shares: 99 }, memory: { limit: 7 } })],
  ],
  [
    { pids: { limit: 10 } },
    'update: request has pids; A touches cpu, B touches memory',
    [update('ctr0', { cpu: { shares: 1 } })],
    [update('ctr0', memory(8))],
    conflict('PidsLimit '),
    conflict('pids pinning'),
  ],
  [
    {},
    'update: pids and device rules that a plugin gives are ignored',
    [update('ctr0', { pids: { limit: 1 }, devices: [rule('r')], cpu: { shares: 1 } })],
    [],
    [update('ctr0', { cpu: { shares: 1 } })],
  ],
];

const stops: Row<ContainerUpdate[]>[] = [
  ['stop: A updates another container', [update('ctr1', { cpu: { shares: 7 } })], [], [update('ctr1', { cpu: { shares: 7 } })]],
  [
    'stop: both update another container, same field',
    [update('ctr1', { cpu: { shares: 7 } })],
    [update('ctr1', { cpu: { shares: 7 } })],
    conflict('CPUShares '),
    conflict('CPU shares'),
  ],
];

export const mergeCases: readonly MergeCase[] = [
  ...adjustments.map(row => caseOf('create', row, adjust => ({ adjust }))),
  ...createUpdates.map(row => caseOf('create', row, update => ({ update }))),
  ...updates.map(([requested, ...row]) => ({ ...caseOf('update', row, update => ({ update })), requested })),
  ...stops.map(row => caseOf('stop', row, update => ({ update }))),
];

function caseOf<Answer extends object>(
  call: MergeCase['call'],
  [name, a, b, expected, before010 = expected]: Row<Answer>,
  answer: (given: Answer) => EventResponse,
): MergeCase {
  const outcome = (given: Answer | { error: string }) => ('error' in given ? { error: given.error } : answer(given));
  return { name, call, a: answer(a), b: answer(b), expected: outcome(expected), before010: outcome(before010) };
}

function update(containerId: string, given: LinuxResources, ignoreFailure?: boolean): ContainerUpdate {
  return { containerId, linux: { resources: given }, ...(ignoreFailure !== undefined && { ignoreFailure }) };
}

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

/** The container that the cases are about, and the one that they update beside it: `ctr0` and `ctr1`. */
export function container(id: string): Container {
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
export function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]): [string, unknown] => [key, compact(each)]);
  return Object.fromEntries(entries.filter(([, each]) => !isEmpty(each)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === false) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
