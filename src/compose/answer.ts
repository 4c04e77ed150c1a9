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
