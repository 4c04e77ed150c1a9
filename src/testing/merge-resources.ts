/** The resources that adjustments and updates have in common: each scalar is claimed on its own (fact E5). */

import type { Field } from '../nri/fields.ts';
import type { LinuxResources } from '../nri/messages.ts';

/** Claims a field, or one key of it, for the plugin whose answer is merged; throws when it is taken. */
export type Claim = (field: Field, key?: string) => void;

/** Resources with the parts that upstream makes before it merges: a plugin sees them empty instead of absent. */
export type PreparedResources = LinuxResources & Required<Pick<LinuxResources, 'memory' | 'cpu'>>;

export function prepareResources(resources: LinuxResources = {}): PreparedResources {
  return { ...resources, memory: resources.memory ?? {}, cpu: resources.cpu ?? {} };
}

const memoryFields = {
  limit: 'MemLimit',
  reservation: 'MemReservation',
  swap: 'MemSwapLimit',
  kernel: 'MemKernelLimit',
  kernelTcp: 'MemTCPLimit',
  swappiness: 'MemSwappiness',
  disableOomKiller: 'MemDisableOomKiller',
  useHierarchy: 'MemUseHierarchy',
} as const;

const cpuFields = {
  shares: 'CPUShares',
  quota: 'CPUQuota',
  period: 'CPUPeriod',
  realtimeRuntime: 'CPURealtimeRuntime',
  realtimePeriod: 'CPURealtimePeriod',
  cpus: 'CPUSetCPUs',
  mems: 'CPUSetMems',
} as const;

/** Writes what is set in `given` into every target. What was claimed before a conflict stays written. */
export function mergeResources(given: LinuxResources, targets: readonly PreparedResources[], claim: Claim): void {
  for (const [name, field] of Object.entries(memoryFields)) {
    const value = given.memory?.[name as keyof typeof memoryFields];
    if (value === undefined) continue;
    claim(field);
    for (const target of targets) Object.assign(target.memory, { [name]: value });
  }
  for (const [name, field] of Object.entries(cpuFields)) {
    const value = given.cpu?.[name as keyof typeof cpuFields];
    if (value === undefined || value === '') continue;
    claim(field);
    for (const target of targets) Object.assign(target.cpu, { [name]: value });
  }
  for (const limit of given.hugepageLimits ?? []) {
    claim('HugepageLimits', limit.pageSize);
    for (const target of targets) target.hugepageLimits = [...(target.hugepageLimits ?? []), limit];
  }
  for (const [file, value] of Object.entries(given.unified ?? {})) {
    claim('CgroupsUnified', file);
    for (const target of targets) target.unified = { ...target.unified, [file]: value };
  }
  if (given.blockioClass !== undefined) {
    claim('BlockioClass');
    for (const target of targets) target.blockioClass = given.blockioClass;
  }
  if (given.rdtClass !== undefined) {
    claim('RdtClass');
    for (const target of targets) target.rdtClass = given.rdtClass;
  }
}
