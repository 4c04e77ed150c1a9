/**
 * NRI's messages as this program handles them: the plain form that codec.ts decodes to and encodes from.
 *
 * The plain form differs from the wire in notation only: camelCase names (`CDI_devices` is `cdiDevices`), int64 as {@link Int64},
 * enumerations by name, Optional* messages as plain values (absent is unset). Removal marks (`-KEY`, fact E4) and `NAME=value`
 * environment entries are as on the wire. Decoded messages have every scalar, list and map field; message fields may be absent.
 */
import type * as author from '../../types/index.d.ts';

export type Int64 = author.Int64;
export type PodSandbox = author.PodSandbox;
export type LinuxResources = author.LinuxResources;
export type Mount = author.Mount;
export type Hooks = author.Hooks;
export type Hook = author.Hook;
export type POSIXRlimit = author.POSIXRlimit;

export type Container = Omit<author.Container, 'env'> & { env: string[] };

export type KeyValue = { key: string; value: string };

export type LinuxContainerAdjustment = {
  devices?: author.LinuxDevice[];
  resources?: LinuxResources;
  cgroupsPath?: string;
  oomScoreAdj?: number;
  ioPriority?: author.LinuxIOPriority;
  seccompPolicy?: author.LinuxSeccomp;
  namespaces?: author.LinuxNamespace[];
  sysctl?: Record<string, string>;
  netDevices?: Record<string, author.LinuxNetDevice>;
  scheduler?: author.LinuxScheduler;
  rdt?: author.LinuxRdt;
  memoryPolicy?: author.LinuxMemoryPolicy;
};

export type ContainerAdjustment = {
  annotations?: Record<string, string>;
  mounts?: Mount[];
  env?: KeyValue[];
  hooks?: Hooks;
  linux?: LinuxContainerAdjustment;
  rlimits?: POSIXRlimit[];
  cdiDevices?: author.CDIDevice[];
  args?: string[];
};

export type ContainerUpdate = author.ContainerUpdate;
export type ContainerEviction = { containerId: string; reason: string };

export type Empty = Record<string, never>;

export type RegisterPluginRequest = { pluginName: string; pluginIdx: string; nriVersion?: string };
export type UpdateContainersRequest = { update?: ContainerUpdate[]; evict?: ContainerEviction[] };
export type UpdateContainersResponse = { failed?: ContainerUpdate[] };

export type ConfigureRequest = {
  config: string;
  runtimeName: string;
  runtimeVersion: string;
  /** Milliseconds; 0 from runtimes before NRI 0.7 (fact C5). */
  registrationTimeout: Int64;
  /** Milliseconds; 0 from runtimes before NRI 0.7 (fact C5). */
  requestTimeout: Int64;
  nriVersion: string;
};
export type ConfigureResponse = { events: number };

export type SynchronizeRequest = { pods: PodSandbox[]; containers: Container[]; more: boolean };
export type SynchronizeResponse = { update?: ContainerUpdate[]; more?: boolean };

export type PodRequest = { pod?: PodSandbox };
export type UpdatePodSandboxRequest = PodRequest & { overheadLinuxResources?: LinuxResources; linuxResources?: LinuxResources };
export type ContainerRequest = { pod?: PodSandbox; container?: Container };
export type UpdateContainerRequest = ContainerRequest & { linuxResources?: LinuxResources };

export type CreateContainerResponse = { adjust?: ContainerAdjustment; update?: ContainerUpdate[]; evict?: ContainerEviction[] };
export type UpdateContainerResponse = { update?: ContainerUpdate[]; evict?: ContainerEviction[] };
export type StopContainerResponse = { update?: ContainerUpdate[] };

export type StateChangeEvent = ContainerRequest & { event: string };

export type PluginInstance = { name: string; index: string };
export type FieldOwners = { simple: Record<string, string>; compound: Record<string, { owners: Record<string, string> }> };
export type ValidateContainerAdjustmentRequest = ContainerRequest & {
  adjust?: ContainerAdjustment;
  update: ContainerUpdate[];
  owners?: { owners: Record<string, FieldOwners> };
  plugins: PluginInstance[];
};
export type ValidateContainerAdjustmentResponse = { reject?: boolean; reason?: string };

/** Every message that is encoded or decoded on its own, by its NRI name. */
export type Messages = {
  Empty: Empty;
  RegisterPluginRequest: RegisterPluginRequest;
  UpdateContainersRequest: UpdateContainersRequest;
  UpdateContainersResponse: UpdateContainersResponse;
  ConfigureRequest: ConfigureRequest;
  ConfigureResponse: ConfigureResponse;
  SynchronizeRequest: SynchronizeRequest;
  SynchronizeResponse: SynchronizeResponse;
  RunPodSandboxRequest: PodRequest;
  RunPodSandboxResponse: Empty;
  UpdatePodSandboxRequest: UpdatePodSandboxRequest;
  UpdatePodSandboxResponse: Empty;
  PostUpdatePodSandboxRequest: PodRequest;
  PostUpdatePodSandboxResponse: Empty;
  StopPodSandboxRequest: PodRequest;
  StopPodSandboxResponse: Empty;
  RemovePodSandboxRequest: PodRequest;
  RemovePodSandboxResponse: Empty;
  CreateContainerRequest: ContainerRequest;
  CreateContainerResponse: CreateContainerResponse;
  PostCreateContainerRequest: ContainerRequest;
  PostCreateContainerResponse: Empty;
  StartContainerRequest: ContainerRequest;
  StartContainerResponse: Empty;
  PostStartContainerRequest: ContainerRequest;
  PostStartContainerResponse: Empty;
  UpdateContainerRequest: UpdateContainerRequest;
  UpdateContainerResponse: UpdateContainerResponse;
  PostUpdateContainerRequest: ContainerRequest;
  PostUpdateContainerResponse: Empty;
  StopContainerRequest: ContainerRequest;
  StopContainerResponse: StopContainerResponse;
  RemoveContainerRequest: ContainerRequest;
  RemoveContainerResponse: Empty;
  StateChangeEvent: StateChangeEvent;
  ValidateContainerAdjustmentRequest: ValidateContainerAdjustmentRequest;
  ValidateContainerAdjustmentResponse: ValidateContainerAdjustmentResponse;
  PodSandbox: PodSandbox;
  Container: Container;
  ContainerAdjustment: ContainerAdjustment;
  ContainerUpdate: ContainerUpdate;
};

export type MessageName = keyof Messages;
