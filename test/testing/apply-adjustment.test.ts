import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerAdjustment, LinuxResources } from '../../src/nri/messages.ts';
import { applyAdjustment, type Resolvers } from '../../src/testing/apply-adjustment.ts';
import { type ContainerDescription, exampleContainer, examplePod } from '../../src/testing/examples.ts';
import { containerOf, specOf } from '../../src/testing/oci-spec.ts';

const pod = examplePod();
const apply = (adjust: ContainerAdjustment, description: ContainerDescription = {}, resolvers?: Resolvers) =>
  applyAdjustment(specOf(exampleContainer(pod, description)), adjust, resolvers);
const resources = (given: LinuxResources) => apply({ linux: { resources: given } }).linux.resources;

test('an empty adjustment changes nothing', () => {
  assert.deepEqual(apply({}), specOf(exampleContainer(pod)));
});

test('a variable that is there keeps its place, new ones are appended', () => {
  const spec = apply(
    {
      env: [
        { key: 'NEW', value: '3' },
        { key: 'A', value: 'x' },
      ],
    },
    { env: ['A=1', 'B=2'] },
  );
  assert.deepEqual(spec.process.env, ['A=x', 'B=2', 'NEW=3']);
});

test('of a variable that stands twice the last value stays, as soon as any variable is adjusted', () => {
  assert.deepEqual(apply({ env: [{ key: 'N', value: '' }] }, { env: ['A=1', 'A=2', 'noequals'] }).process.env, ['A=2', 'N=']);
});

test('the memory limit is copied to swap, everything else of memory is not applied', () => {
  const { memory } = resources({ memory: { limit: 9223372036854775807n, swap: 1, reservation: 2 } });
  assert.deepEqual(memory, { limit: 9223372036854775807n, swap: 9223372036854775807n });
});

test('a memory limit of 0 is nothing', () => {
  assert.equal(resources({ memory: { limit: 0 } }).memory!.limit, 268435456);
});

test('a cpu quota of -1 is applied, and an empty cpuset is not', () => {
  assert.deepEqual(resources({ cpu: { quota: -1, cpus: '', mems: '0' } }).cpu, { shares: 256, quota: -1, period: 100000, mems: '0' });
});

test('hugepages are replaced by size, unified files by name, device rules are appended', () => {
  const given = {
    hugepageLimits: [{ pageSize: '2MB', limit: 1 }],
    unified: { 'memory.high': '1' },
    devices: [{ allow: true, type: 'c', access: 'r' }],
  };
  const once = applyAdjustment(specOf(exampleContainer(pod)), { linux: { resources: given } });
  const twice = applyAdjustment(once, { linux: { resources: { ...given, hugepageLimits: [{ pageSize: '2MB', limit: 2 }] } } }).linux
    .resources;
  assert.deepEqual(twice.hugepageLimits, [{ pageSize: '2MB', limit: 2 }]);
  assert.deepEqual(twice.unified, { 'memory.high': '1' });
  assert.equal(twice.devices!.length, 3);
});

test('a pids limit below 0 means unlimited', () => {
  assert.deepEqual(resources({ pids: { limit: 100 } }).pids, { limit: 100 });
  assert.deepEqual(resources({ pids: { limit: -1 } }).pids, {});
});

test('adding a device also allows it in the device cgroup', () => {
  const add = (type: string) => apply({ linux: { devices: [{ path: '/dev/x', type, major: 1, minor: 3, fileMode: 0o400 }] } }).linux;
  assert.deepEqual(add('c').devices, [{ path: '/dev/x', type: 'c', major: 1, minor: 3, fileMode: 0o400 }]);
  assert.deepEqual(add('c').resources.devices!.at(-1), { allow: true, type: 'c', major: 1, minor: 3, access: 'rw' });
  assert.equal(add('b').resources.devices!.at(-1)!.access, 'rwm');
});

test('mounts replace those of the same destination and are sorted by depth, then destination', () => {
  const mounts = [
    { destination: '/a/b', type: 'bind', source: '/1' },
    { destination: '/z/', type: 'bind', source: '/2' },
    { destination: '/proc', type: 'bind', source: '/3' },
    { destination: '-/dev/shm' },
  ];
  const { mounts: result } = apply({ mounts });
  assert.deepEqual(
    result.map(mount => mount.destination),
    ['/dev', '/proc', '/sys', '/z/', '/a/b', '/dev/mqueue', '/dev/pts', '/sys/fs/cgroup'],
  );
  assert.equal(result[1]!.source, '/3');
});

test('rshared and rslave need a host mount that propagates', () => {
  const mounts = [{ destination: '/a', type: 'bind', source: '/host', options: ['rbind', 'rslave'] }];
  assert.throws(() => apply({ mounts }), {
    code: 'ADJUSTMENT_UNUSABLE',
    message: 'failed to adjust mounts in OCI Spec: path "/host" mount propagation is "", not "rshared or rslave"',
  });
  assert.equal(apply({ mounts }, {}, { propagation: () => 'rshared' }).linux.rootfsPropagation, 'rslave');
});

test('namespaces are replaced in place, added or removed; unknown types fail', () => {
  const { namespaces } = apply({ linux: { namespaces: [{ type: 'pid', path: '/p' }, { type: '-uts' }, { type: 'time' }] } }).linux;
  assert.deepEqual(namespaces[0], { type: 'pid', path: '/p' });
  assert.deepEqual(namespaces.at(-1), { type: 'time' });
  assert.ok(!namespaces.some(namespace => namespace.type === 'uts'));
  assert.throws(() => apply({ linux: { namespaces: [{ type: 'nope' }] } }), { message: 'unrecognized namespace "nope"' });
});

test('a removal mark beside its own key loses the value', () => {
  const spec = apply(
    { annotations: { a: 'new', '-a': '' }, linux: { sysctl: { '-s': '', s: '1' } } },
    { annotations: { a: 'old', b: '1' } },
  );
  assert.deepEqual(spec.annotations, { b: '1' });
  assert.deepEqual(spec.linux.sysctl, {});
});

test('hooks and rlimits are appended', () => {
  const adjust: ContainerAdjustment = {
    hooks: { poststop: [{ path: '/h' }] },
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: 18446744073709551615n, soft: 1 }],
  };
  const spec = applyAdjustment(apply(adjust), adjust);
  assert.equal(spec.hooks!.poststop!.length, 2);
  assert.deepEqual(
    spec.process.rlimits!.map(limit => limit.hard),
    [18446744073709551615n, 18446744073709551615n],
  );
});

test('args, oom score, cgroups path, scheduler, priority, seccomp and memory policy replace', () => {
  const spec = apply({
    args: ['/x'],
    linux: {
      oomScoreAdj: -5,
      cgroupsPath: '/c',
      scheduler: { policy: 'SCHED_BATCH' },
      ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 },
      seccompPolicy: { defaultAction: 'SCMP_ACT_ERRNO', defaultErrno: 1 },
      memoryPolicy: { mode: 'MPOL_BIND', nodes: '0' },
    },
  });
  assert.deepEqual(spec.process.args, ['/x']);
  assert.equal(spec.process.oomScoreAdj, -5);
  assert.equal(spec.linux.cgroupsPath, '/c');
  assert.deepEqual(spec.process.scheduler, { policy: 'SCHED_BATCH' });
  assert.deepEqual(spec.process.ioPriority, { class: 'IOPRIO_CLASS_BE', priority: 4 });
  assert.deepEqual(spec.linux.seccomp, { defaultAction: 'SCMP_ACT_ERRNO' });
  assert.deepEqual(spec.linux.memoryPolicy, { mode: 'MPOL_BIND', nodes: '0' });
});

test('rdt is set field by field, and removed first when asked', () => {
  const spec = apply({ linux: { rdt: { closId: 'a', enableMonitoring: true } } });
  assert.deepEqual(spec.linux.intelRdt, { closID: 'a', enableMonitoring: true });
  assert.deepEqual(applyAdjustment(spec, { linux: { rdt: { remove: true, schemata: ['L3:0=f'] } } }).linux.intelRdt, {
    schemata: ['L3:0=f'],
  });
  assert.equal(applyAdjustment(spec, { linux: { rdt: { remove: true } } }).linux.intelRdt, undefined);
});

test('classes and CDI devices are what the resolvers make of them', () => {
  const resolvers: Resolvers = {
    blockio: name => ({ weight: name.length }),
    rdt: name => ({ closID: name }),
    injectCdi(_spec, names) {
      throw new Error(`unresolvable CDI devices ${names.join(', ')}`);
    },
  };
  const spec = apply({ linux: { resources: { blockioClass: 'low', rdtClass: 'gold' } } }, {}, resolvers);
  assert.deepEqual(spec.linux.resources.blockIO, { weight: 3 });
  assert.deepEqual(spec.linux.intelRdt, { closID: 'gold' });
  assert.throws(() => apply({ cdiDevices: [{ name: 'v/c=0' }] }, {}, resolvers), {
    message: 'CDI device injection failed: unresolvable CDI devices v/c=0',
  });
});

test('the spec gives back the container that it was made of', () => {
  const container = exampleContainer(pod, {
    hooks: { poststop: [{ path: '/h' }] },
    rlimits: [{ type: 'RLIMIT_CORE', hard: 0, soft: 0 }],
    linux: {
      ...exampleContainer(pod).linux!,
      resources: { memory: { limit: 1, kernelTcp: 2, disableOomKiller: true }, pids: { limit: 5 } },
      seccompPolicy: { defaultAction: 'SCMP_ACT_ERRNO', defaultErrno: 1 },
      rdt: { closId: 'a' },
    },
  });
  assert.deepEqual(containerOf(specOf(container), container), container);
});
