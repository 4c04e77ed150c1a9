/** What goes to the runtime, in the plain form of NRI's messages. */
import type {
  CDIDevice,
  ContainerUpdate,
  Hooks,
  LinuxDevice,
  LinuxIOPriority,
  LinuxMemoryPolicy,
  LinuxNamespace,
  LinuxNetDevice,
  LinuxRdt,
  LinuxResources,
  LinuxScheduler,
  LinuxSeccomp,
  Mount,
  POSIXRlimit,
} from '../../types/index.d.ts';
import type { LedgerEntry } from './ledger.ts';
import { fields } from './schema.ts';
import type { Slot, Target } from './slots.ts';
import { put } from './value-types.ts';

/** NRI's ContainerAdjustment: `env` as entries, removal marks as `-KEY` (fact E4). */
export type WireAdjustment = {
  annotations?: Record<string, string>;
  mounts?: Mount[];
  env?: { key: string; value: string }[];
  hooks?: Hooks;
  linux?: WireLinuxAdjustment;
  rlimits?: POSIXRlimit[];
  cdiDevices?: CDIDevice[];
  args?: string[];
};

export type WireLinuxAdjustment = {
  devices?: LinuxDevice[];
  resources?: LinuxResources;
  cgroupsPath?: string;
  oomScoreAdj?: number;
  ioPriority?: LinuxIOPriority;
  seccompPolicy?: LinuxSeccomp;
  namespaces?: LinuxNamespace[];
  sysctl?: Record<string, string>;
  netDevices?: Record<string, LinuxNetDevice>;
  scheduler?: LinuxScheduler;
  rdt?: LinuxRdt;
  memoryPolicy?: LinuxMemoryPolicy;
};

/** An event's answer. `adjust` is absent when nothing changes; the updated container itself stands last in `update` (fact F3). */
export type Answer = { adjust?: WireAdjustment; update: ContainerUpdate[]; ledger: LedgerEntry[] };

/** What the changes of a container that is being created come to; undefined when they come to nothing. */
export function adjustmentOf(target: Target): WireAdjustment | undefined {
  const wire: Record<string, unknown> = {};
  for (const slot of target.slots.values()) if (slot.changed) place(wire, slot);
  placeClears(wire, target);
  return Object.keys(wire).length > 0 ? (wire as WireAdjustment) : undefined;
}

/** The updates of the targets that change, in their order. */
export function updatesOf(targets: readonly Target[]): ContainerUpdate[] {
  const updates: ContainerUpdate[] = [];
  for (const target of targets) {
    const { linux } = adjustmentOf(target) ?? {};
    if (!linux?.resources) continue;
    const ignoreFailure = target.ignoreFailure === true;
    updates.push({ containerId: target.id, linux: { resources: linux.resources }, ...(ignoreFailure && { ignoreFailure }) });
  }
  return updates;
}

/**
 * Writes one slot's change. Lists may hold a removal mark beside the new value, which overrides another plugin's; in maps the two would
 * meet in random order (fact E5b), so there a new value stands alone.
 */
function place(wire: Record<string, unknown>, { field, key, current, removed, appended }: Slot): void {
  const parent = parentIn(wire, field.path);
  const name = field.path[field.path.length - 1]!;
  switch (field.form) {
    case 'value':
      if (current !== undefined) parent[name] = current;
      return;
    case 'append':
      parent[name] = appended.flatMap(({ value }) => value);
      return;
    case 'record':
      if (field.entries) {
        const entries = listIn(parent, name);
        if (removed) entries.push({ key: `-${key}`, value: '' });
        if (current !== undefined) entries.push({ key, value: current });
      } else if (current !== undefined) put(recordIn(parent, name), key, current);
      else put(recordIn(parent, name), `-${key}`, '');
      return;
    case 'list': {
      const entries = listIn(parent, name);
      if (removed && (current === undefined || field.override)) entries.push({ [field.key]: `-${key}` });
      if (current !== undefined) entries.push(current);
    }
  }
}

/** A field that clears others stands beside all of their values, changed or not. */
function placeClears(wire: Record<string, unknown>, { slots }: Target): void {
  for (const field of fields) {
    if (field.form !== 'clear') continue;
    const cleared = field.clears.map(name => slots.get(name)).filter(slot => slot !== undefined);
    if (!cleared.some(slot => slot.removed) || !cleared.some(slot => slot.changed)) continue;
    for (const slot of cleared) place(wire, slot);
    parentIn(wire, field.path)[field.path[field.path.length - 1]!] = true;
  }
}

function parentIn(wire: Record<string, unknown>, path: readonly string[]): Record<string, unknown> {
  let parent = wire;
  for (let depth = 0; depth < path.length - 1; depth++) parent = recordIn(parent, path[depth]!);
  return parent;
}

function recordIn(parent: Record<string, unknown>, name: string): Record<string, unknown> {
  parent[name] ??= {};
  return parent[name] as Record<string, unknown>;
}

function listIn(parent: Record<string, unknown>, name: string): unknown[] {
  parent[name] ??= [];
  return parent[name] as unknown[];
}
