/**
 * What a script author imports: `import type { Script } from 'nri-scripts'`.
 *
 * Names and units are NRI's (pkg/api/api.proto), OCI's (runtime-spec config-linux.md) and CRI's. What differs from the wire:
 * names are camelCase, `env`, `annotations`, `labels`, `sysctl` and `unified` are records, optional values are plain values,
 * enumerations are their NRI names. A field that the runtime did not send is absent.
 */

/** An exact 64-bit integer: a number when it is a safe integer, else a bigint (RLIM_INFINITY is 18446744073709551615n). */
export type Int64 = number | bigint;

/** A script: the default export of a file in the scripts directory. `Config` is the shape of its settings' `config`. */
export interface Script<Config = unknown> {
  /** The runtime has connected (NRI Configure). Informational: what it returns is ignored. */
  configure?: Handler<ConfigureEvent, void, Config>;
  /** All pods and containers that exist, once after every connect (NRI Synchronize); may update containers. */
  synchronize?: Handler<SynchronizeEvent, UpdateResult, Config>;
  /** A pod is about to run: its sandbox exists, no container does (NRI RunPodSandbox). */
  runPodSandbox?: Handler<PodEvent, void, Config>;
  /** A pod's resources are about to change (NRI UpdatePodSandbox, from NRI 0.10). */
  updatePodSandbox?: Handler<UpdatePodEvent, void, Config>;
  /** A pod's resources have changed (NRI PostUpdatePodSandbox, from NRI 0.10). */
  postUpdatePodSandbox?: Handler<PodEvent, void, Config>;
  /** A pod is stopping. Late events may carry only the pod's id (NRI StopPodSandbox). */
  stopPodSandbox?: Handler<PodEvent, void, Config>;
  /** A pod is being removed. Late events may carry only the pod's id (NRI RemovePodSandbox). */
  removePodSandbox?: Handler<PodEvent, void, Config>;
  /** A container is about to be created: the one call that may adjust it (NRI CreateContainer). */
  createContainer?: Handler<ContainerEvent, CreateContainerResult, Config>;
  /** A container has been created, with every plugin's changes (NRI PostCreateContainer). */
  postCreateContainer?: Handler<ContainerEvent, void, Config>;
  /** A container is about to start (NRI StartContainer). */
  startContainer?: Handler<ContainerEvent, void, Config>;
  /** A container has started (NRI PostStartContainer). */
  postStartContainer?: Handler<ContainerEvent, void, Config>;
  /** A container's resources are about to be updated through CRI; may change that update and others (NRI UpdateContainer). */
  updateContainer?: Handler<UpdateContainerEvent, UpdateResult, Config>;
  /** A container's resources have been updated (NRI PostUpdateContainer). */
  postUpdateContainer?: Handler<ContainerEvent, void, Config>;
  /** A container is stopping or has exited; may update other containers (NRI StopContainer). */
  stopContainer?: Handler<ContainerEvent, UpdateResult, Config>;
  /** A container is being removed; also arrives for one whose creation failed (NRI RemoveContainer). */
  removeContainer?: Handler<ContainerEvent, void, Config>;
  /** All plugins' changes to a container, before they are applied; may refuse them (NRI ValidateContainerAdjustment, from NRI 0.10). */
  validateContainerAdjustment?: Handler<ValidateEvent, ValidateResult, Config>;
}

/** The name of a handler of a script. */
export type HandlerName = keyof Script;

/** One handler. It may be async, but there is nothing to wait for inside: no timers, no network, no files. */
export type Handler<Event, Result, Config = unknown> = (event: Event, nri: Nri<Config>) => Returned<Result> | Promise<Returned<Result>>;

/** What a handler may return: its result, or nothing for "no change". */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler without a return statement is the common case
export type Returned<Result> = Result | void | undefined | null;

/** What the host offers to a handler beside the event. */
export interface Nri<Config = unknown> {
  /** The `config` of the settings file beside the script (`20-name.yaml`); undefined without one. */
  readonly config: Config;
  /** Structured log lines; each carries script, pod and container. */
  readonly log: Log;
  /** The runtime that sent the event. */
  readonly runtime: Runtime;
  /** The node that the plugin runs on. */
  readonly node: Node;
  /** What this script keeps over events, reloads and restarts: 64 KiB of JSON. A run's changes count when the run goes well. */
  readonly state: State;
  /** The known pod with this id, or undefined. */
  pod(id: string): PodSandbox | undefined;
  /** All known pods. */
  pods(): PodSandbox[];
  /** The known container with this id, or undefined. */
  container(id: string): Container | undefined;
  /** All known containers, or those of one pod. */
  containers(podSandboxId?: string): Container[];
  /** Queues an unsolicited update (NRI UpdateContainers); it is sent after the event is answered, one at a time. */
  update(update: ContainerUpdate | ContainerUpdate[]): void;
}

/** Log levels are pino's; `fields` must survive JSON. */
export interface Log {
  /** Details for finding a fault; not shown unless `--log-level debug`. */
  debug(message: string, fields?: object): void;
  /** What an operator wants to see. */
  info(message: string, fields?: object): void;
  /** Something to look at. */
  warn(message: string, fields?: object): void;
  /** Something went wrong. */
  error(message: string, fields?: object): void;
}

/** A small key-value store of one script. Values are JSON; what comes out is a copy. */
export interface State {
  /** The value, or undefined. */
  get<Value = unknown>(key: string): Value | undefined;
  /** Keeps a value; throws when the store is full. */
  set(key: string, value: unknown): void;
  /** Forgets a value. */
  delete(key: string): void;
  /** All keys. */
  keys(): string[];
}

/** The runtime, as it named itself in NRI Configure. */
export interface Runtime {
  /** `containerd`, `cri-o`, … */
  readonly name: string;
  /** As the runtime gives it: `v2.2.1`, `1.34.0`, … */
  readonly version: string;
  /** The NRI version it speaks, told or inferred, `major.minor.patch`; empty when unknown. */
  readonly nriVersion: string;
}

/** The node. */
export interface Node {
  /** Host name. */
  readonly name: string;
  /** `x64` or `arm64`. */
  readonly arch: string;
  /** Logical CPUs. */
  readonly cpus: number;
  /** Memory in bytes. */
  readonly memory: number;
  /** 2 with the unified cgroup hierarchy, else 1 (cgroups(7)). */
  readonly cgroupVersion: 1 | 2;
}

// ---------------------------------------------------------------- events

/** Input of `configure`. */
export interface ConfigureEvent {
  /** The contents of the plugin's NRI configuration file, for a plugin that the runtime launched; else empty. */
  config: string;
  /** `containerd`, `cri-o`, … */
  runtimeName: string;
  /** As the runtime gives it. */
  runtimeVersion: string;
  /** Milliseconds; 0 when the runtime does not say. */
  registrationTimeout: Int64;
  /** Milliseconds that the runtime waits for an answer; 0 when it does not say. */
  requestTimeout: Int64;
  /** The NRI version that the runtime says it speaks, from NRI 0.12; else empty. */
  nriVersion: string;
}

/** Input of `synchronize`. */
export interface SynchronizeEvent {
  /** All pods of the node. */
  pods: PodSandbox[];
  /** All containers that run or were created. */
  containers: Container[];
  /**
   * Ids of the containers that were created while there was no connection to the runtime: `createContainer` was not called for them. Empty at
   * the first connection after the plugin's start, when it cannot be known.
   */
  missed: string[];
}

/** Input of the pod handlers. */
export interface PodEvent {
  /** The pod. */
  pod: PodSandbox;
}

/** Input of `updatePodSandbox`. */
export interface UpdatePodEvent extends PodEvent {
  /** The pod's overhead after the update. */
  overheadLinuxResources?: LinuxResources;
  /** The pod's resources after the update. */
  linuxResources?: LinuxResources;
}

/** Input of the container handlers. */
export interface ContainerEvent {
  /** The container's pod. */
  pod: PodSandbox;
  /** The container, as changed so far by earlier plugins and by earlier scripts. */
  container: Container;
}

/** Input of `updateContainer`. */
export interface UpdateContainerEvent extends ContainerEvent {
  /** What the container's resources will become, as changed so far. */
  linuxResources?: LinuxResources;
}

/** Input of `validateContainerAdjustment`. */
export interface ValidateEvent extends ContainerEvent {
  /** What all plugins together will change; the container itself is as it was asked for. */
  adjust: ContainerAdjustment;
  /** What all plugins together will update in other containers. */
  update: ContainerUpdate[];
  /** Per container id and NRI Field name (`Env`, `MemLimit`, …): the plugin `NN-name` that set it, per key where the field has keys. */
  owners: Record<string, Record<string, string | Record<string, string>>>;
  /** The plugins that were asked. */
  plugins: Array<{ name: string; index: string }>;
}

// ---------------------------------------------------------------- results

/** Result of `createContainer`. */
export interface CreateContainerResult {
  /** Changes to the container that is being created. */
  adjust?: ContainerAdjustment;
  /** Changes to other containers. */
  update?: ContainerUpdate[];
}

/** Result of `synchronize`, `updateContainer` and `stopContainer`. */
export interface UpdateResult {
  /** Changes to containers. */
  update?: ContainerUpdate[];
}

/** Result of `validateContainerAdjustment`. */
export interface ValidateResult {
  /** Refuses the container; the text goes to whoever created it. */
  reject?: string;
}

/** Changes to a container before it is created (NRI ContainerAdjustment). */
export interface ContainerAdjustment {
  /** By key; null removes. */
  annotations?: Record<string, string | null>;
  /** By exact destination; needs `allow: [mounts]`. */
  mounts?: Array<Mount | MountRemoval>;
  /** By name; null removes what an earlier plugin set (NRI cannot remove an image's variable). */
  env?: Record<string, string | null>;
  /** Appended to the container's OCI hooks; needs `allow: [hooks]`. */
  hooks?: Hooks;
  /** Linux parts. */
  linux?: LinuxContainerAdjustment;
  /** By type; from NRI 0.4. */
  rlimits?: POSIXRlimit[];
  /** Added, by name; from NRI 0.7; needs `allow: [cdiDevices]`. */
  cdiDevices?: CDIDevice[];
  /** The whole command line; from NRI 0.10; needs `allow: [args]`. */
  args?: string[];
}

/** Linux parts of an adjustment (NRI LinuxContainerAdjustment). */
export interface LinuxContainerAdjustment {
  /** By path; needs `allow: [devices]`. */
  devices?: Array<LinuxDevice | DeviceRemoval>;
  /** Limits. At creation runtimes apply of `memory` only `limit`. */
  resources?: LinuxResources;
  /** OCI cgroupsPath; needs `allow: [cgroupsPath]`. */
  cgroupsPath?: string;
  /** -1000 to 1000 (proc(5)); from NRI 0.7. */
  oomScoreAdj?: number;
  /** I/O priority (ioprio_set(2)); from NRI 0.10. */
  ioPriority?: LinuxIOPriority;
  /** The whole seccomp filter (OCI linux.seccomp); from NRI 0.10; needs `allow: [seccompPolicy]`. */
  seccompPolicy?: LinuxSeccomp;
  /** By type; from NRI 0.10; needs `allow: [namespaces]`. */
  namespaces?: Array<LinuxNamespace | NamespaceRemoval>;
  /** By name; null removes; from NRI 0.11; needs `allow: [sysctl]`. */
  sysctl?: Record<string, string | null>;
  /** By host interface name; null removes; from NRI 0.11; needs `allow: [netDevices]`. */
  netDevices?: Record<string, LinuxNetDevice | null>;
  /** CPU scheduler (sched_setattr(2)), as a whole; from NRI 0.11. */
  scheduler?: LinuxScheduler;
  /** Intel RDT; from NRI 0.11. */
  rdt?: LinuxRdt;
  /** NUMA memory policy (set_mempolicy(2)), as a whole; from NRI 0.12. */
  memoryPolicy?: LinuxMemoryPolicy;
}

/** Changes to a container that exists (NRI ContainerUpdate). */
export interface ContainerUpdate {
  /** The container's id. */
  containerId: string;
  /** Linux parts. Runtimes apply memory limit, cpu shares, period, quota, cpus and mems, hugepages and unified. */
  linux?: { resources?: LinuxResources };
  /** When true, a failure to apply this update is not reported. Of what synchronize returns no failure is: it could cost the connection. */
  ignoreFailure?: boolean;
}

/** Removes the mount with this destination. */
export interface MountRemoval {
  /** Exact destination. */
  destination: string;
  remove: true;
}

/** Removes the device with this path. */
export interface DeviceRemoval {
  /** Exact path. */
  path: string;
  remove: true;
}

/** Removes the namespace of this type: the container then shares the host's. */
export interface NamespaceRemoval {
  /** `pid`, `network`, `mount`, `ipc`, `uts`, `user`, `cgroup`, `time`. */
  type: string;
  remove: true;
}

// ---------------------------------------------------------------- pods and containers

/** A pod (NRI PodSandbox). */
export interface PodSandbox {
  /** CRI pod sandbox id. */
  id: string;
  /** Kubernetes name. */
  name: string;
  /** Kubernetes uid. */
  uid: string;
  /** Kubernetes namespace. */
  namespace: string;
  /** Kubernetes labels. */
  labels: Record<string, string>;
  /** Kubernetes annotations. */
  annotations: Record<string, string>;
  /** CRI runtime handler (RuntimeClass); empty for the default. */
  runtimeHandler: string;
  /** Linux parts. */
  linux?: LinuxPodSandbox;
  /** Process id of the pod's sandbox, 0 when not running. */
  pid: number;
  /** IP addresses; from NRI 0.9. */
  ips: string[];
}

/** Linux parts of a pod (NRI LinuxPodSandbox). */
export interface LinuxPodSandbox {
  /** Kubernetes pod overhead. */
  podOverhead?: LinuxResources;
  /** Sum of the containers' resources. */
  podResources?: LinuxResources;
  /** Parent cgroup of the pod's containers. */
  cgroupParent: string;
  /** Cgroup of the sandbox. */
  cgroupsPath: string;
  /** Namespaces of the sandbox. */
  namespaces: LinuxNamespace[];
  /** Resources of the sandbox. */
  resources?: LinuxResources;
}

/** NRI ContainerState. */
export type ContainerState = 'CONTAINER_UNKNOWN' | 'CONTAINER_CREATED' | 'CONTAINER_PAUSED' | 'CONTAINER_RUNNING' | 'CONTAINER_STOPPED';

/** A container (NRI Container). */
export interface Container {
  /** CRI container id. */
  id: string;
  /** Id of its pod. */
  podSandboxId: string;
  /** Kubernetes container name. */
  name: string;
  /** State as NRI names it. */
  state: ContainerState;
  /** CRI labels. */
  labels: Record<string, string>;
  /** CRI annotations; adjustments change these. */
  annotations: Record<string, string>;
  /** Command line (OCI process.args). */
  args: string[];
  /** Environment (OCI process.env) by name; of a name that stands twice, the last. */
  env: Record<string, string>;
  /** OCI mounts. */
  mounts: Mount[];
  /** OCI hooks. */
  hooks?: Hooks;
  /** Linux parts. */
  linux?: LinuxContainer;
  /** Process id, 0 when not running. */
  pid: number;
  /** OCI process.rlimits. */
  rlimits: POSIXRlimit[];
  /** Unix time in nanoseconds; 0 when it has not happened. */
  createdAt: Int64;
  /** Unix time in nanoseconds; 0 when it has not happened. */
  startedAt: Int64;
  /** Unix time in nanoseconds; 0 when it has not happened. */
  finishedAt: Int64;
  /** Exit code, once finished. */
  exitCode: number;
  /** CRI reason of the state. */
  statusReason: string;
  /** CRI message of the state. */
  statusMessage: string;
  /** Injected CDI devices. */
  cdiDevices: CDIDevice[];
  /** User and groups (OCI process.user). */
  user?: User;
  /** Image that the container was created from. */
  image?: Image;
}

/** Linux parts of a container (NRI LinuxContainer). */
export interface LinuxContainer {
  /** OCI linux.namespaces. */
  namespaces: LinuxNamespace[];
  /** OCI linux.devices. */
  devices: LinuxDevice[];
  /** OCI linux.resources. */
  resources?: LinuxResources;
  /** -1000 to 1000 (proc(5)). */
  oomScoreAdj?: number;
  /** OCI linux.cgroupsPath. */
  cgroupsPath: string;
  /** I/O priority (ioprio_set(2)). */
  ioPriority?: LinuxIOPriority;
  /** CRI seccomp profile. */
  seccompProfile?: SecurityProfile;
  /** OCI linux.seccomp. */
  seccompPolicy?: LinuxSeccomp;
  /** OCI linux.sysctl. */
  sysctl: Record<string, string>;
  /** OCI linux.netDevices by host interface name. */
  netDevices: Record<string, LinuxNetDevice>;
  /** CPU scheduler (sched_setattr(2)). */
  scheduler?: LinuxScheduler;
  /** Intel RDT. */
  rdt?: LinuxRdt;
}

/** Numeric user and groups. */
export interface User {
  /** User id. */
  uid: number;
  /** Group id. */
  gid: number;
  /** Supplementary group ids. */
  additionalGids: number[];
}

/** An image. */
export interface Image {
  /** Reference as asked for. */
  name: string;
  /** Manifest digest. */
  digest: string;
  /** Config digest. */
  configDigest: string;
}

/** An OCI mount (mount(8) options). */
export interface Mount {
  /** Absolute path inside the container; the key. */
  destination: string;
  /** `bind`, `tmpfs`, … */
  type?: string;
  /** Path on the host, or a device or file system name. */
  source?: string;
  /** `rbind`, `ro`, `rprivate`, … */
  options?: string[];
}

/** OCI hooks by stage. */
export interface Hooks {
  /** Before start; deprecated by OCI. */
  prestart?: Hook[];
  /** In the runtime's namespace, during create. */
  createRuntime?: Hook[];
  /** In the container's namespace, during create. */
  createContainer?: Hook[];
  /** In the container's namespace, before start. */
  startContainer?: Hook[];
  /** After start. */
  poststart?: Hook[];
  /** After the container is deleted. */
  poststop?: Hook[];
}

/** One OCI hook. */
export interface Hook {
  /** Absolute path of the program on the host. */
  path: string;
  /** argv, with argv[0]. */
  args?: string[];
  /** `NAME=value` entries. */
  env?: string[];
  /** Seconds. */
  timeout?: Int64;
}

/** A namespace (namespaces(7)). */
export interface LinuxNamespace {
  /** `pid`, `network`, `mount`, `ipc`, `uts`, `user`, `cgroup`, `time`. */
  type: string;
  /** Path of a namespace to join; empty or absent for a new one. */
  path?: string;
}

/** A device node (mknod(2)). */
export interface LinuxDevice {
  /** Absolute path inside the container; the key. */
  path: string;
  /** `c`, `b`, `u` or `p`. */
  type?: string;
  /** Major number. */
  major?: Int64;
  /** Minor number. */
  minor?: Int64;
  /** Permission bits, 0o660 for example. */
  fileMode?: number;
  /** Owner. */
  uid?: number;
  /** Group. */
  gid?: number;
}

/** A device cgroup rule. */
export interface LinuxDeviceCgroup {
  /** Allow or deny. */
  allow?: boolean;
  /** `a`, `b` or `c`. */
  type?: string;
  /** Absent for all. */
  major?: Int64;
  /** Absent for all. */
  minor?: Int64;
  /** Of `r`, `w`, `m`. */
  access?: string;
}

/** A CDI device by its qualified name. */
export interface CDIDevice {
  /** `vendor.com/class=name`. */
  name: string;
}

/** A network device to move into the container. */
export interface LinuxNetDevice {
  /** Interface name inside the container; empty or absent keeps the host's. */
  name?: string;
}

/** OCI linux.resources. */
export interface LinuxResources {
  /** Memory. */
  memory?: LinuxMemory;
  /** CPU. */
  cpu?: LinuxCPU;
  /** By page size. */
  hugepageLimits?: HugepageLimit[];
  /** Name of a block I/O class that the runtime is configured with. */
  blockioClass?: string;
  /** Name of an RDT class that the runtime is configured with. */
  rdtClass?: string;
  /** cgroup v2 files by name (`memory.high`). */
  unified?: Record<string, string>;
  /** Appended device cgroup rules; from NRI 0.10; needs `allow: [deviceRules]`; ignored in updates. */
  devices?: LinuxDeviceCgroup[];
  /** Processes; from NRI 0.7; ignored in updates. */
  pids?: { limit: Int64 };
}

/** OCI linux.resources.memory. */
export interface LinuxMemory {
  /** Bytes, -1 for none. */
  limit?: Int64;
  /** Bytes; not applied at creation. */
  reservation?: Int64;
  /** Bytes, memory and swap together; not applied at creation. */
  swap?: Int64;
  /** Bytes; not applied at creation. */
  kernel?: Int64;
  /** Bytes; not applied at creation. */
  kernelTcp?: Int64;
  /** 0 to 100; not applied at creation. */
  swappiness?: Int64;
  /** cgroup v1; not applied at creation. */
  disableOomKiller?: boolean;
  /** cgroup v1; not applied at creation. */
  useHierarchy?: boolean;
}

/** OCI linux.resources.cpu. */
export interface LinuxCPU {
  /** Relative weight, 2 to 262144. */
  shares?: Int64;
  /** Microseconds per period, -1 for none (cpu.cfs_quota_us). */
  quota?: Int64;
  /** Microseconds (cpu.cfs_period_us). */
  period?: Int64;
  /** Microseconds per realtimePeriod. */
  realtimeRuntime?: Int64;
  /** Microseconds. */
  realtimePeriod?: Int64;
  /** CPU list, `0-3,8` (cpuset(7)). */
  cpus?: string;
  /** Memory node list, `0-1` (cpuset(7)). */
  mems?: string;
}

/** OCI linux.resources.hugepageLimits entry. */
export interface HugepageLimit {
  /** `2MB`, `1GB`; the key. */
  pageSize: string;
  /** Bytes. */
  limit: Int64;
}

/** CRI seccomp profile. */
export interface SecurityProfile {
  /** Kind of profile. */
  profileType: 'RUNTIME_DEFAULT' | 'UNCONFINED' | 'LOCALHOST';
  /** Path, for LOCALHOST. */
  localhostRef: string;
}

/** A resource limit (setrlimit(2)). */
export interface POSIXRlimit {
  /** `RLIMIT_NOFILE`, …; the key. */
  type: string;
  /** Ceiling; 18446744073709551615n is RLIM_INFINITY. */
  hard: Int64;
  /** Value in force. */
  soft: Int64;
}

/** I/O priority (ioprio_set(2)). */
export interface LinuxIOPriority {
  /** Scheduling class. */
  class: 'IOPRIO_CLASS_NONE' | 'IOPRIO_CLASS_RT' | 'IOPRIO_CLASS_BE' | 'IOPRIO_CLASS_IDLE';
  /** 0 (highest) to 7. */
  priority?: number;
}

/** OCI linux.seccomp (seccomp(2)). */
export interface LinuxSeccomp {
  /** `SCMP_ACT_ERRNO`, … */
  defaultAction: string;
  /** errno of the default action. */
  defaultErrno?: number;
  /** `SCMP_ARCH_X86_64`, … */
  architectures?: string[];
  /** `SECCOMP_FILTER_FLAG_LOG`, … */
  flags?: string[];
  /** Unix socket of a notification listener. */
  listenerPath?: string;
  /** Opaque data for the listener. */
  listenerMetadata?: string;
  /** Rules. */
  syscalls?: LinuxSyscall[];
}

/** One seccomp rule. */
export interface LinuxSyscall {
  /** System calls by name. */
  names: string[];
  /** `SCMP_ACT_ALLOW`, … */
  action: string;
  /** errno to return. */
  errnoRet?: number;
  /** Conditions on arguments. */
  args?: LinuxSeccompArg[];
}

/** A condition on one argument of a system call. */
export interface LinuxSeccompArg {
  /** 0 to 5. */
  index: number;
  /** Compared with. */
  value: Int64;
  /** Second operand of `SCMP_CMP_MASKED_EQ`. */
  valueTwo?: Int64;
  /** `SCMP_CMP_EQ`, … */
  op: string;
}

/** CPU scheduler attributes (sched_setattr(2)). */
export interface LinuxScheduler {
  /** Scheduling policy. */
  policy: 'SCHED_NONE' | 'SCHED_OTHER' | 'SCHED_FIFO' | 'SCHED_RR' | 'SCHED_BATCH' | 'SCHED_ISO' | 'SCHED_IDLE' | 'SCHED_DEADLINE';
  /** -20 to 19, for SCHED_OTHER and SCHED_BATCH. */
  nice?: number;
  /** 1 to 99, for SCHED_FIFO and SCHED_RR. */
  priority?: number;
  /** Scheduling flags. */
  flags?: LinuxSchedulerFlag[];
  /** Nanoseconds, for SCHED_DEADLINE. */
  runtime?: Int64;
  /** Nanoseconds, for SCHED_DEADLINE. */
  deadline?: Int64;
  /** Nanoseconds, for SCHED_DEADLINE. */
  period?: Int64;
}

/** Scheduling flags (sched_setattr(2)). */
export type LinuxSchedulerFlag =
  | 'SCHED_FLAG_RESET_ON_FORK'
  | 'SCHED_FLAG_RECLAIM'
  | 'SCHED_FLAG_DL_OVERRUN'
  | 'SCHED_FLAG_KEEP_POLICY'
  | 'SCHED_FLAG_KEEP_PARAMS'
  | 'SCHED_FLAG_UTIL_CLAMP_MIN'
  | 'SCHED_FLAG_UTIL_CLAMP_MAX';

/** Intel RDT (OCI linux.intelRdt). */
export interface LinuxRdt {
  /** Class of service. */
  closId?: string;
  /** Lines of the schemata file. */
  schemata?: string[];
  /** Create a monitoring group. */
  enableMonitoring?: boolean;
  /** When true, clears what was set before; other fields then set anew. */
  remove?: boolean;
}

/** NUMA memory policy (set_mempolicy(2)). */
export interface LinuxMemoryPolicy {
  /** Policy. */
  mode:
    | 'MPOL_DEFAULT'
    | 'MPOL_PREFERRED'
    | 'MPOL_BIND'
    | 'MPOL_INTERLEAVE'
    | 'MPOL_LOCAL'
    | 'MPOL_PREFERRED_MANY'
    | 'MPOL_WEIGHTED_INTERLEAVE';
  /** Node list, `0-1`. */
  nodes?: string;
  /** Flags. */
  flags?: Array<'MPOL_F_STATIC_NODES' | 'MPOL_F_RELATIVE_NODES' | 'MPOL_F_NUMA_BALANCING'>;
}
