/**
 * The OCI runtime spec (config.md, config-linux.md) as far as NRI touches it, and its conversion from and to NRI's container.
 */
import type { Container, Hooks, Int64, LinuxResources, Mount, POSIXRlimit } from '../nri/messages.ts';

type Linux = NonNullable<Container['linux']>;

/** A part of the OCI runtime spec. 64-bit numbers are exact: a bigint where a number is not. */
export type OciSpec = {
  ociVersion: string;
  process: {
    args: string[];
    /** `NAME=value` */
    env: string[];
    cwd: string;
    user: { uid: number; gid: number; additionalGids?: number[] };
    oomScoreAdj?: number;
    rlimits?: POSIXRlimit[];
    ioPriority?: NonNullable<Linux['ioPriority']>;
    scheduler?: NonNullable<Linux['scheduler']>;
  };
  root: { path: string; readonly?: boolean };
  mounts: Mount[];
  hooks?: Hooks;
  annotations: Record<string, string>;
  linux: OciLinux;
};

export type OciLinux = {
  cgroupsPath?: string;
  namespaces: Linux['namespaces'];
  devices: Linux['devices'];
  resources: OciResources;
  seccomp?: OciSeccomp;
  sysctl?: Record<string, string>;
  netDevices?: Linux['netDevices'];
  rootfsPropagation?: string;
  intelRdt?: OciIntelRdt;
  memoryPolicy?: { mode: string; nodes?: string; flags?: string[] };
};

export type OciIntelRdt = { closID?: string; schemata?: string[]; enableMonitoring?: boolean };

export type OciResources = {
  memory?: Omit<NonNullable<LinuxResources['memory']>, 'kernelTcp' | 'disableOomKiller'> & {
    kernelTCP?: Int64;
    disableOOMKiller?: boolean;
  };
  cpu?: NonNullable<LinuxResources['cpu']>;
  hugepageLimits?: NonNullable<LinuxResources['hugepageLimits']>;
  unified?: Record<string, string>;
  devices?: NonNullable<LinuxResources['devices']>;
  /** Without a limit: unlimited. */
  pids?: { limit?: Int64 };
  blockIO?: object;
};

export type OciSeccomp = Omit<NonNullable<Linux['seccompPolicy']>, 'defaultErrno'> & { defaultErrnoRet?: number };

/** The spec of a container as it was asked for. */
export function specOf(given: Container): OciSpec {
  const container = structuredClone(given);
  const { linux, user } = container;
  const { oomScoreAdj, ioPriority, scheduler, seccompPolicy, rdt } = linux ?? {};
  return {
    ociVersion: '1.2.1',
    process: {
      args: container.args,
      env: container.env,
      cwd: '/',
      user: user ?? { uid: 0, gid: 0 },
      ...(oomScoreAdj !== undefined && { oomScoreAdj }),
      ...(container.rlimits.length > 0 && { rlimits: container.rlimits }),
      ...(ioPriority && { ioPriority }),
      ...(scheduler && { scheduler }),
    },
    root: { path: 'rootfs' },
    mounts: container.mounts,
    ...(container.hooks && { hooks: container.hooks }),
    annotations: container.annotations,
    linux: {
      ...(linux?.cgroupsPath && { cgroupsPath: linux.cgroupsPath }),
      namespaces: linux?.namespaces ?? [],
      devices: linux?.devices ?? [],
      resources: resourcesToOci(linux?.resources ?? {}),
      ...(seccompPolicy && { seccomp: seccompToOci(seccompPolicy) }),
      ...(hasKeys(linux?.sysctl) && { sysctl: linux.sysctl }),
      ...(hasKeys(linux?.netDevices) && { netDevices: linux.netDevices }),
      ...(rdt && { intelRdt: rdtToOci(rdt) }),
    },
  };
}

/** The container as NRI describes it with this spec; what the spec does not say is taken from `base`. */
export function containerOf(given: OciSpec, base: Container): Container {
  const spec = structuredClone(given);
  const { process, linux } = spec;
  const { seccomp, intelRdt } = linux;
  const { closID, schemata, enableMonitoring } = intelRdt ?? {};
  return {
    ...structuredClone(base),
    annotations: spec.annotations,
    args: process.args,
    env: process.env,
    mounts: spec.mounts,
    ...(spec.hooks && { hooks: spec.hooks }),
    rlimits: process.rlimits ?? [],
    linux: {
      namespaces: linux.namespaces,
      devices: linux.devices,
      resources: resourcesFromOci(linux.resources),
      ...(process.oomScoreAdj !== undefined && { oomScoreAdj: process.oomScoreAdj }),
      cgroupsPath: linux.cgroupsPath ?? '',
      ...(process.ioPriority && { ioPriority: process.ioPriority }),
      ...(base.linux?.seccompProfile && { seccompProfile: base.linux.seccompProfile }),
      ...(seccomp && { seccompPolicy: seccompFromOci(seccomp) }),
      sysctl: linux.sysctl ?? {},
      netDevices: linux.netDevices ?? {},
      ...(process.scheduler && { scheduler: process.scheduler }),
      ...(intelRdt && {
        rdt: {
          ...(closID !== undefined && { closId: closID }),
          ...(schemata && { schemata }),
          ...(enableMonitoring !== undefined && { enableMonitoring }),
        },
      }),
    },
  };
}

function resourcesToOci({ memory, blockioClass: _, rdtClass: __, pids, ...same }: LinuxResources): OciResources {
  const { kernelTcp, disableOomKiller, ...rest } = memory ?? {};
  return {
    ...same,
    ...(memory && {
      memory: {
        ...rest,
        ...(kernelTcp !== undefined && { kernelTCP: kernelTcp }),
        ...(disableOomKiller !== undefined && { disableOOMKiller: disableOomKiller }),
      },
    }),
    ...(pids && { pids }),
  };
}

function resourcesFromOci({ memory, blockIO: _, pids, ...same }: OciResources): LinuxResources {
  const { kernelTCP, disableOOMKiller, ...rest } = memory ?? {};
  return {
    ...same,
    ...(memory && {
      memory: {
        ...rest,
        ...(kernelTCP !== undefined && { kernelTcp: kernelTCP }),
        ...(disableOOMKiller !== undefined && { disableOomKiller: disableOOMKiller }),
      },
    }),
    ...(pids && { pids: { limit: pids.limit ?? -1 } }),
  };
}

function seccompToOci({ defaultErrno, ...same }: NonNullable<Linux['seccompPolicy']>): OciSeccomp {
  return { ...same, ...(defaultErrno !== undefined && { defaultErrnoRet: defaultErrno }) };
}

function seccompFromOci({ defaultErrnoRet, ...same }: OciSeccomp): NonNullable<Linux['seccompPolicy']> {
  return { ...same, ...(defaultErrnoRet !== undefined && { defaultErrno: defaultErrnoRet }) };
}

function rdtToOci({ closId, schemata, enableMonitoring }: NonNullable<Linux['rdt']>): OciIntelRdt {
  return {
    ...(closId !== undefined && { closID: closId }),
    ...(schemata && { schemata }),
    ...(enableMonitoring !== undefined && { enableMonitoring }),
  };
}

/** Whether a record or message is there and not empty. */
export function hasKeys<Value extends object>(record: Value | undefined): record is Value {
  return record !== undefined && Object.keys(record).length > 0;
}
