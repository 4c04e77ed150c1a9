/**
 * How NRI's versions differ in merging answers (read in containerd/nri v0.8.0 to v0.12.2, pkg/adaptation and pkg/api): owners became a message of
 * their own with 0.10, and fields came with several versions (fact E10).
 */

import type { Field } from '../nri/fields.ts';
import type { ContainerAdjustment, LinuxContainerAdjustment, LinuxResources } from '../nri/messages.ts';

export type MergeRules = {
  /** What the message of a conflict calls a field. */
  subject(field: Field, key?: string): string;
  /** What was cleared is kept for the plugin that cleared it; before 0.10 any plugin might set it then. */
  readonly keepsCleared: boolean;
  /** What this version takes over of an adjustment: the rest is dropped without a word. */
  known(adjust: ContainerAdjustment): ContainerAdjustment;
};

/** `version`: `major.minor.patch` of NRI. */
export function mergeRules(version: string): MergeRules {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const has = (since: number) => major > 0 || minor >= since;
  const later = has(10);
  return {
    subject: later
      ? (field, key = '') => `${field} ${key}`
      : (field, key) => [subjects[field] ?? field, ...(key === undefined ? [] : [key])].join(' '),
    keepsCleared: later,
    known: adjust =>
      pick(adjust, adjustmentSince, has, {
        linux: linux => pick(linux, linuxSince, has, { resources: given => pick(given, resourcesSince, has) }),
      }),
  };
}

export const latestRules = mergeRules('0.12.2');

type Since<Type> = Partial<Record<keyof Type, number>>;

const adjustmentSince: Since<ContainerAdjustment> = { rlimits: 4, cdiDevices: 7, args: 10 };
const linuxSince: Since<LinuxContainerAdjustment> = {
  oomScoreAdj: 7,
  namespaces: 10,
  seccompPolicy: 10,
  ioPriority: 10,
  scheduler: 11,
  netDevices: 11,
  rdt: 11,
  sysctl: 11,
  memoryPolicy: 12,
};
/** Device rules were always a field, and were merged from 0.10 on. */
const resourcesSince: Since<LinuxResources> = { pids: 7, devices: 10 };

type Parts<Type> = { [Name in keyof Type]?: (part: NonNullable<Type[Name]>) => Type[Name] };

/** A copy with the fields that there are, some of them picked from in turn. */
function pick<Type extends object>(given: Type, since: Since<Type>, has: (minor: number) => boolean, parts: Parts<Type> = {}): Type {
  const picked: Type = { ...given };
  for (const [name, minor] of Object.entries(since) as [keyof Type, number][]) if (!has(minor)) delete picked[name];
  for (const name of Object.keys(parts) as (keyof Type)[]) {
    const part = picked[name];
    if (part !== undefined && part !== null) picked[name] = parts[name]!(part) as Type[typeof name];
  }
  return picked;
}

/** The words of versions before 0.10. */
const subjects: Partial<Record<Field, string>> = {
  Annotations: 'annotation',
  Mounts: 'mount',
  Devices: 'device',
  CdiDevices: 'CDI device',
  Env: 'env',
  MemLimit: 'memory limit',
  MemReservation: 'memory reservation',
  MemSwapLimit: 'memory swap limit',
  MemKernelLimit: 'memory kernel limit',
  MemTCPLimit: 'memory TCP limit',
  MemSwappiness: 'memory swappiness',
  MemDisableOomKiller: 'memory disable OOM killer',
  MemUseHierarchy: "memory 'UseHierarchy'",
  CPUShares: 'CPU shares',
  CPUQuota: 'CPU quota',
  CPUPeriod: 'CPU period',
  CPURealtimeRuntime: 'CPU realtime runtime',
  CPURealtimePeriod: 'CPU realtime period',
  CPUSetCPUs: 'CPU pinning',
  CPUSetMems: 'memory pinning',
  PidsLimit: 'pids pinning',
  HugepageLimits: 'hugepage limit of size',
  BlockioClass: 'block I/O class',
  RdtClass: 'RDT class',
  CgroupsUnified: 'unified resource',
  CgroupsPath: 'cgroups path',
  OomScoreAdj: 'oom score adj',
  Rlimits: 'rlimit',
};
