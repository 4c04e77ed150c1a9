/**
 * Applies a merged adjustment to a container's OCI spec, as the runtimes do (facts E7, E8; containerd/nri v0.12.2, pkg/runtime-tools/generate).
 *
 * Go applies the entries of a map in any order, so that a removal mark beside its own key sometimes loses the value (fact E5b). Here it
 * always does: a test must not pass by luck.
 */
import { posix } from 'node:path';
import type { ContainerAdjustment, Hooks, KeyValue, LinuxContainerAdjustment, LinuxResources, Mount } from '../nri/messages.ts';
import { hookStages, isMark, unmark } from './merge-adjustment.ts';
import { hasKeys, type OciIntelRdt, type OciSpec } from './oci-spec.ts';
import { OperationError } from './operation-error.ts';

/** What the runtime knows and the adjustment only names. What is absent is not applied, as in a runtime without that feature. */
export type Resolvers = {
  /** Adds CDI devices to the spec; throws for unknown ones. */
  injectCdi?(spec: OciSpec, names: string[]): void;
  /** linux.resources.blockIO of a block I/O class. */
  blockio?(className: string): object;
  /** linux.intelRdt of an RDT class. */
  rdt?(className: string): OciIntelRdt;
  /** How the mount that a host path is on propagates. Default: not at all, so that `rshared` and `rslave` fail. */
  propagation?(path: string): 'rshared' | 'rslave' | '';
};

/** The adjusted spec; the given one stays as it is. Throws ADJUSTMENT_UNUSABLE. */
export function applyAdjustment(given: OciSpec, adjust: ContainerAdjustment, resolvers: Resolvers = {}): OciSpec {
  const spec = structuredClone(given);
  const { annotations, env, args, hooks, cdiDevices, linux = {}, mounts, rlimits } = structuredClone(adjust);
  spec.annotations = changedMap(spec.annotations, annotations);
  if (env?.length) spec.process.env = applyEnv(spec.process.env, env);
  if (args?.length) spec.process.args = args;
  if (hooks) spec.hooks = appendHooks(spec.hooks, hooks);
  if (cdiDevices?.length && resolvers.injectCdi) {
    const { injectCdi } = resolvers;
    unusableIfThrown('CDI device injection failed', () =>
      injectCdi(
        spec,
        cdiDevices.map(device => device.name),
      ),
    );
  }
  applyLinux(spec, linux);
  if (linux.resources) applyResources(spec, linux.resources, resolvers);
  if (linux.rdt) applyRdt(spec, linux.rdt);
  if (mounts?.length) applyMounts(spec, mounts, resolvers);
  if (rlimits?.length) spec.process.rlimits = [...(spec.process.rlimits ?? []), ...rlimits];
  return spec;
}

function changedMap<Value>(current: Record<string, Value> = {}, changes: Record<string, Value> = {}): Record<string, Value> {
  const marked = new Set(Object.keys(changes).filter(isMark).map(unmark));
  const all = Object.entries({ ...current, ...changes });
  return Object.fromEntries(all.filter(([key]) => !isMark(key) && !marked.has(key)));
}

/** A variable that is there keeps its place; of one that stands twice the last value wins; entries without `=` are lost. */
function applyEnv(current: readonly string[], changes: readonly KeyValue[]): string[] {
  const values = new Map<string, string>();
  const changed = new Map(changes.map(change => [unmark(change.key), change]));
  for (const entry of current) {
    const at = entry.indexOf('=');
    if (at < 0) continue;
    const name = entry.slice(0, at);
    const change = changed.get(name);
    if (!change) values.set(name, entry.slice(at + 1));
    else if (!isMark(change.key)) values.set(name, change.value);
  }
  for (const { key, value } of changed.values()) if (!isMark(key)) values.set(key, value);
  return [...values].map(([name, value]) => `${name}=${value}`);
}

function appendHooks(current: Hooks = {}, added: Hooks): Hooks {
  const all: Hooks = { ...current };
  for (const stage of hookStages) if (added[stage]?.length) all[stage] = [...(all[stage] ?? []), ...added[stage]];
  return all;
}

function applyLinux(spec: OciSpec, linux: LinuxContainerAdjustment): void {
  const { process } = spec;
  for (const device of linux.devices ?? []) {
    const path = unmark(device.path);
    spec.linux.devices = spec.linux.devices.filter(each => each.path !== path);
    if (isMark(device.path)) continue;
    spec.linux.devices.push(device);
    const { type = '', major = 0, minor = 0 } = device;
    const rule = { allow: true, type, major, minor, access: type === 'b' ? 'rwm' : 'rw' };
    spec.linux.resources.devices = [...(spec.linux.resources.devices ?? []), rule];
  }
  if (linux.cgroupsPath) spec.linux.cgroupsPath = linux.cgroupsPath;
  if (linux.oomScoreAdj !== undefined) process.oomScoreAdj = Number(linux.oomScoreAdj);
  if (linux.ioPriority?.class === 'IOPRIO_CLASS_NONE') delete process.ioPriority;
  else if (linux.ioPriority) process.ioPriority = linux.ioPriority;
  if (linux.scheduler?.policy === 'SCHED_NONE') delete process.scheduler;
  else if (linux.scheduler) process.scheduler = linux.scheduler;
  if (linux.seccompPolicy) {
    // Upstream leaves the default errno behind.
    const { defaultErrno: _, ...seccomp } = linux.seccompPolicy;
    spec.linux.seccomp = seccomp;
  }
  for (const namespace of linux.namespaces ?? []) {
    const type = unmark(namespace.type);
    if (!namespaceTypes.has(type)) throw new OperationError('ADJUSTMENT_UNUSABLE', `unrecognized namespace "${type}"`);
    const { namespaces } = spec.linux;
    const at = namespaces.findIndex(each => each.type === type);
    if (isMark(namespace.type)) spec.linux.namespaces = namespaces.filter((_, index) => index !== at);
    else namespaces.splice(at < 0 ? namespaces.length : at, 1, namespace.path ? { type, path: namespace.path } : { type });
  }
  if (hasKeys(linux.sysctl)) spec.linux.sysctl = changedMap(spec.linux.sysctl, linux.sysctl);
  if (hasKeys(linux.netDevices)) spec.linux.netDevices = changedMap(spec.linux.netDevices, linux.netDevices);
  if (linux.memoryPolicy) spec.linux.memoryPolicy = linux.memoryPolicy;
}

/** Of memory only the limit is applied, and to swap too; 0 is nothing (fact E8). */
function applyResources(spec: OciSpec, given: LinuxResources, resolvers: Resolvers): void {
  const { resources } = spec.linux;
  const { cpus, mems, ...scalars } = given.cpu ?? {};
  const cpu = { ...scalars, ...(cpus && { cpus }), ...(mems && { mems }) };
  if (hasKeys(cpu)) resources.cpu = { ...resources.cpu, ...cpu };
  const limit = given.memory?.limit;
  if (limit) resources.memory = { ...resources.memory, limit, swap: limit };
  for (const { pageSize, limit } of given.hugepageLimits ?? [])
    resources.hugepageLimits = [...(resources.hugepageLimits ?? []).filter(each => each.pageSize !== pageSize), { pageSize, limit }];
  if (hasKeys(given.unified)) resources.unified = { ...resources.unified, ...given.unified };
  if (given.pids) resources.pids = given.pids.limit > -1 ? { limit: given.pids.limit } : (resources.pids ?? {});
  if (given.devices?.length) resources.devices = [...(resources.devices ?? []), ...given.devices];

  const { blockioClass, rdtClass } = given;
  if (blockioClass === '') delete resources.blockIO;
  else if (blockioClass !== undefined && resolvers.blockio) {
    const { blockio } = resolvers;
    resources.blockIO = unusableIfThrown('failed to adjust BlockIO class in OCI Spec', () => blockio(blockioClass));
  }
  if (rdtClass === '') delete spec.linux.intelRdt;
  else if (rdtClass !== undefined && resolvers.rdt) {
    const { rdt } = resolvers;
    spec.linux.intelRdt = unusableIfThrown('failed to adjust RDT class in OCI Spec', () => rdt(rdtClass));
  }
}

function applyRdt(spec: OciSpec, { remove, closId, schemata, enableMonitoring }: NonNullable<LinuxContainerAdjustment['rdt']>): void {
  if (remove) delete spec.linux.intelRdt;
  const set = {
    ...(closId !== undefined && { closID: closId }),
    ...(schemata && { schemata }),
    ...(enableMonitoring !== undefined && { enableMonitoring }),
  };
  if (hasKeys(set)) spec.linux.intelRdt = { ...spec.linux.intelRdt, ...set };
}

function applyMounts(spec: OciSpec, mounts: readonly Mount[], resolvers: Resolvers): void {
  // A mount without a propagation option takes that of the mount before it: upstream's fault.
  let propagation: string | undefined;
  for (const mount of mounts) {
    const destination = unmark(mount.destination);
    const at = spec.mounts.findIndex(each => each.destination === destination);
    if (at >= 0) spec.mounts.splice(at, 1);
    if (isMark(mount.destination)) continue;
    propagation = mount.options?.findLast(option => /^r(private|shared|slave)$/.test(option)) ?? propagation;
    applyPropagation(spec, mount.source ?? '', propagation, resolvers);
    spec.mounts.push(mount);
  }
  spec.mounts.sort((one, other) => depth(one) - depth(other) || (one.destination < other.destination ? -1 : 1));
}

function applyPropagation(spec: OciSpec, source: string, wanted: string | undefined, resolvers: Resolvers): void {
  if (wanted !== 'rshared' && wanted !== 'rslave') return;
  const accepted = wanted === 'rshared' ? ['rshared'] : ['rshared', 'rslave'];
  const found = resolvers.propagation?.(source) ?? '';
  if (!accepted.includes(found))
    throw new OperationError(
      'ADJUSTMENT_UNUSABLE',
      `failed to adjust mounts in OCI Spec: path "${source}" mount propagation is "${found}", not "${accepted.join(' or ')}"`,
    );
  if (wanted === 'rshared' || spec.linux.rootfsPropagation !== 'rshared') spec.linux.rootfsPropagation = wanted;
}

function depth({ destination }: Mount): number {
  return posix
    .normalize(destination)
    .replace(/(?<=.)\/$/, '')
    .split('/').length;
}

function unusableIfThrown<Value>(what: string, run: () => Value): Value {
  try {
    return run();
  } catch (cause) {
    throw new OperationError('ADJUSTMENT_UNUSABLE', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, [], cause);
  }
}

const namespaceTypes: ReadonlySet<string> = new Set(['network', 'pid', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time']);
