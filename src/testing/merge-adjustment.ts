/**
 * Merges the plugins' adjustments of one container, as upstream does (facts E3 to E5; containerd/nri v0.12.2, pkg/adaptation/result.go).
 * Each answer changes two things: the merged adjustment, and the container as the next plugin sees it.
 */

import type { Field } from '../nri/fields.ts';
import type { Container, ContainerAdjustment, Hooks, LinuxContainerAdjustment } from '../nri/messages.ts';
import { type Claim, mergeResources, type PreparedResources, prepareResources } from './merge-resources.ts';
import type { Owners } from './owners.ts';

type ContainerLinux = NonNullable<Container['linux']> & { resources: PreparedResources };
/** A container whose optional parts are there: upstream makes them before the first plugin is asked. */
export type PreparedContainer = Container & { hooks: Hooks; linux: ContainerLinux };

/** The merged adjustment, with every part that can be empty. */
export type MergedAdjustment = Required<Omit<ContainerAdjustment, 'linux' | 'args'>> & {
  args?: string[];
  linux: LinuxContainerAdjustment & { resources: PreparedResources } & Required<
      Pick<LinuxContainerAdjustment, 'devices' | 'namespaces' | 'sysctl' | 'netDevices'>
    >;
};

export type Adjustments = {
  /** The container as the next plugin sees it. */
  readonly container: PreparedContainer;
  readonly merged: MergedAdjustment;
  /** Adds one plugin's adjustment; throws at the first conflict and is then of no further use. */
  add(adjust: ContainerAdjustment, plugin: string): void;
};

/** Takes the container over: it is changed. */
export function createAdjustments(given: Container, owners: Owners): Adjustments {
  const id = given.id;
  const container: PreparedContainer = Object.assign(given, {
    hooks: given.hooks ?? {},
    linux: Object.assign(given.linux ?? emptyLinux(), { resources: prepareResources(given.linux?.resources) }),
  });
  const merged: MergedAdjustment = {
    annotations: {},
    mounts: [],
    env: [],
    hooks: {},
    rlimits: [],
    cdiDevices: [],
    linux: { devices: [], resources: prepareResources(), namespaces: [], sysctl: {}, netDevices: {} },
  };

  function adjustMap<Value>(
    field: Field,
    given: Record<string, Value> = {},
    seen: Record<string, Value>,
    into: Record<string, Value>,
    mark: { value: Value; lone: Record<string, Value> },
    plugin: string,
  ): void {
    const removed = new Set(Object.keys(given).filter(isMark).map(unmark));
    for (const [key, value] of Object.entries(given)) {
      if (isMark(key)) continue;
      if (removed.delete(key)) {
        owners.clearKey(id, field, key, plugin);
        into[`-${key}`] = mark.value;
      }
      owners.claimKey(id, field, key, plugin);
      put(seen, key, value);
      put(into, key, value);
    }
    for (const key of removed) mark.lone[`-${key}`] = mark.value;
  }

  /** Lists with a key per entry. What a mark removes is an earlier plugin's entry; `marks` are those that nothing replaces. */
  function adjustList<Entry>(field: Field, given: readonly Entry[], keyOf: (entry: Entry) => string, into: Entry[], plugin: string) {
    const set = given.filter(entry => !isMark(keyOf(entry)));
    const marks = new Map(given.filter(entry => isMark(keyOf(entry))).map(entry => [unmark(keyOf(entry)), entry]));
    const touched = new Set(given.map(entry => unmark(keyOf(entry))));
    const kept = into.filter(entry => {
      const removed = marks.has(keyOf(entry));
      if (removed) owners.clearKey(id, field, keyOf(entry), plugin);
      return !removed;
    });
    for (const entry of set) {
      owners.claimKey(id, field, keyOf(entry), plugin);
      kept.push(entry);
      marks.delete(keyOf(entry));
    }
    return { kept, set, touched, marks: [...marks.values()] };
  }

  function adjustHooks(hooks: Hooks, plugin: string): void {
    let added = false;
    for (const stage of hookStages) {
      const list = hooks[stage] ?? [];
      if (list.length === 0) continue;
      for (const target of [merged.hooks, container.hooks]) target[stage] = [...(target[stage] ?? []), ...list];
      added = true;
    }
    if (added) owners.share(id, 'OciHooks', plugin);
  }

  function adjustArgs(args: readonly string[], claim: Claim, plugin: string): void {
    if (args.length === 0) return;
    if (args[0] === '') owners.clear(id, 'Args', plugin);
    claim('Args');
    merged.args = args.slice(args[0] === '' ? 1 : 0);
    container.args = [...merged.args];
  }

  function adjustRdt(rdt: NonNullable<LinuxContainerAdjustment['rdt']>, claim: Claim, plugin: string): void {
    if (rdt.remove) {
      for (const field of ['RdtClosID', 'RdtSchemata', 'RdtEnableMonitoring'] as const) owners.clear(id, field, plugin);
      merged.linux.rdt = { remove: true };
    }
    const set = (field: Field, part: Omit<typeof rdt, 'remove'>) => {
      claim(field);
      const { remove: _, ...earlier } = merged.linux.rdt ?? {};
      merged.linux.rdt = { ...earlier, ...part };
    };
    if (rdt.closId !== undefined) set('RdtClosID', { closId: rdt.closId });
    if (rdt.schemata !== undefined) set('RdtSchemata', { schemata: rdt.schemata });
    if (rdt.enableMonitoring !== undefined) set('RdtEnableMonitoring', { enableMonitoring: rdt.enableMonitoring });
  }

  function adjustNamespaces(given: NonNullable<LinuxContainerAdjustment['namespaces']>, claim: Claim): void {
    const seen = new Map(container.linux.namespaces.map(namespace => [namespace.type, namespace]));
    for (const namespace of given) {
      const type = unmark(namespace.type);
      claim('Namespace', type);
      if (isMark(namespace.type)) seen.delete(type);
      else seen.set(type, namespace);
      merged.linux.namespaces.push(namespace);
    }
    if (given.length > 0) container.linux.namespaces = [...seen.values()];
  }

  function adjustLinux(linux: LinuxContainerAdjustment, claim: Claim, plugin: string): void {
    const { linux: seen } = container;
    const devices = adjustList('Devices', linux.devices ?? [], device => device.path, merged.linux.devices, plugin);
    merged.linux.devices = devices.kept;
    seen.devices = [...seen.devices.filter(device => !devices.touched.has(device.path)), ...devices.set];

    const { resources } = linux;
    if (resources) {
      mergeResources(resources, [seen.resources, merged.linux.resources], claim);
      for (const target of [seen.resources, merged.linux.resources]) {
        if (resources.devices?.length) target.devices = [...(target.devices ?? []), ...resources.devices];
      }
      if (resources.pids) {
        claim('PidsLimit');
        seen.resources.pids = merged.linux.resources.pids = { limit: resources.pids.limit };
      }
    }
    if (linux.cgroupsPath) {
      claim('CgroupsPath');
      seen.cgroupsPath = merged.linux.cgroupsPath = linux.cgroupsPath;
    }
    if (linux.oomScoreAdj !== undefined) {
      claim('OomScoreAdj');
      merged.linux.oomScoreAdj = linux.oomScoreAdj;
      seen.oomScoreAdj = Number(linux.oomScoreAdj);
    }
    if (linux.ioPriority) {
      claim('IoPriority');
      seen.ioPriority = merged.linux.ioPriority = linux.ioPriority;
    }
    if (linux.seccompPolicy) {
      claim('SeccompPolicy');
      seen.seccompPolicy = merged.linux.seccompPolicy = linux.seccompPolicy;
    }
    adjustNamespaces(linux.namespaces ?? [], claim);
    // A lone sysctl mark lands among the annotations: a fault of v0.12.2, corrected after it.
    adjustMap('Sysctl', linux.sysctl, seen.sysctl, merged.linux.sysctl, { value: '', lone: merged.annotations }, plugin);
    const { netDevices } = merged.linux;
    adjustMap('LinuxNetDevices', linux.netDevices, seen.netDevices, netDevices, { value: {}, lone: netDevices }, plugin);
    if (linux.scheduler) {
      claim('LinuxSched');
      seen.scheduler = merged.linux.scheduler = linux.scheduler;
    }
    if (linux.rdt) adjustRdt(linux.rdt, claim, plugin);
    if (linux.memoryPolicy) {
      claim('MemoryPolicy');
      merged.linux.memoryPolicy = linux.memoryPolicy;
    }
  }

  return {
    container,
    merged,
    add(adjust, plugin) {
      const claim: Claim = (field, key) => (key === undefined ? owners.claim(id, field, plugin) : owners.claimKey(id, field, key, plugin));

      const { annotations } = merged;
      adjustMap('Annotations', adjust.annotations, container.annotations, annotations, { value: '', lone: annotations }, plugin);

      const mounts = adjustList('Mounts', adjust.mounts ?? [], mount => mount.destination, merged.mounts, plugin);
      merged.mounts = [...mounts.kept, ...mounts.marks];
      container.mounts = [...container.mounts.filter(mount => !mounts.touched.has(mount.destination)), ...mounts.set];

      const env = adjustList('Env', adjust.env ?? [], entry => entry.key, merged.env, plugin);
      merged.env = env.kept;
      container.env = [
        ...container.env.filter(entry => !env.touched.has(entry.split('=', 1)[0]!)),
        ...env.set.map(({ key, value }) => `${key}=${value}`),
      ];

      adjustArgs(adjust.args ?? [], claim, plugin);
      adjustHooks(adjust.hooks ?? {}, plugin);
      if (adjust.linux) adjustLinux(adjust.linux, claim, plugin);
      for (const limit of adjust.rlimits ?? []) {
        claim('Rlimits', limit.type);
        container.rlimits.push(limit);
        merged.rlimits.push(limit);
      }
      for (const device of adjust.cdiDevices ?? []) {
        claim('CdiDevices', device.name);
        merged.cdiDevices.push(device);
      }
    },
  };
}

/** The order in which upstream goes through the stages. */
export const hookStages = ['prestart', 'poststart', 'poststop', 'createRuntime', 'createContainer', 'startContainer'] as const;

/** Whether a key carries NRI's removal mark (fact E4). */
export function isMark(key: string): boolean {
  return key.startsWith('-');
}

/** A key without its removal mark. */
export function unmark(key: string): string {
  return isMark(key) ? key.slice(1) : key;
}

/** Keys come from the wire: `__proto__` must become a key like any other. */
function put<Value>(record: Record<string, Value>, key: string, value: Value): void {
  Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

function emptyLinux(): NonNullable<Container['linux']> {
  return { namespaces: [], devices: [], cgroupsPath: '', sysctl: {}, netDevices: {} };
}
