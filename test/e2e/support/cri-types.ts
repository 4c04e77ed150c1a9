/** CRI's messages, as far as the tests speak them (k8s.io/cri-api, runtime/v1/api.proto), and the OCI runtime spec that comes back. */

/** Int64 in, as CRI has it; text for what is beyond 2^53. */
type Integer = number | string;

export type LinuxContainerResources = {
  cpuPeriod?: Integer;
  cpuQuota?: Integer;
  cpuShares?: Integer;
  memoryLimitInBytes?: Integer;
  memorySwapLimitInBytes?: Integer;
  oomScoreAdj?: Integer;
  cpusetCpus?: string;
  cpusetMems?: string;
  hugepageLimits?: Array<{ pageSize: string; limit: Integer }>;
  unified?: Record<string, string>;
};

export type PodSandboxConfig = {
  metadata: { name: string; uid: string; namespace: string; attempt?: number };
  hostname?: string;
  logDirectory?: string;
  dnsConfig?: { servers?: string[] };
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  linux?: {
    cgroupParent?: string;
    securityContext?: { namespaceOptions?: { network?: NamespaceMode; pid?: NamespaceMode; ipc?: NamespaceMode } };
  };
};

export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET';

export type ContainerConfig = {
  metadata: { name: string; attempt?: number };
  image: { image: string };
  command?: string[];
  args?: string[];
  envs?: Array<{ key: string; value: string }>;
  mounts?: Array<{ containerPath: string; hostPath: string; readonly?: boolean }>;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  logPath?: string;
  linux?: { resources?: LinuxContainerResources };
};

export type VersionResponse = { version: string; runtimeName: string; runtimeVersion: string; runtimeApiVersion: string };

export type ContainerState = 'CONTAINER_CREATED' | 'CONTAINER_RUNNING' | 'CONTAINER_EXITED' | 'CONTAINER_UNKNOWN';

export type ContainerStatus = {
  id: string;
  metadata: { name: string; attempt: number };
  state: ContainerState;
  exitCode: number;
  reason: string;
  message: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
};

export type PodSandboxStatus = {
  id: string;
  metadata: { name: string; uid: string; namespace: string };
  state: 'SANDBOX_READY' | 'SANDBOX_NOTREADY';
};

export type ContainerSummary = { id: string; podSandboxId: string; metadata: { name: string }; state: ContainerState };

export type ExecResult = { stdout: string; stderr: string; exitCode: number };

/** Numbers of the spec: exact, a bigint beyond 2^53. */
type Exact = number | bigint;

/** The OCI runtime spec that the container was created from (runtime-spec, config.md and config-linux.md), in part. */
export type OciSpec = {
  process: {
    args: string[];
    env?: string[];
    cwd: string;
    oomScoreAdj?: number;
    rlimits?: Array<{ type: string; hard: Exact; soft: Exact }>;
    ioPriority?: { class: string; priority: number };
    scheduler?: Record<string, unknown>;
  };
  hostname?: string;
  mounts: Array<{ destination: string; type?: string; source?: string; options?: string[] }>;
  hooks?: Record<string, Array<{ path: string; args?: string[]; env?: string[]; timeout?: number }>>;
  annotations?: Record<string, string>;
  linux: {
    cgroupsPath: string;
    sysctl?: Record<string, string>;
    devices?: Array<{ path: string; type: string; major: number; minor: number; fileMode?: number; uid?: number; gid?: number }>;
    namespaces: Array<{ type: string; path?: string }>;
    seccomp?: Record<string, unknown>;
    resources?: {
      cpu?: { shares?: Exact; quota?: Exact; period?: Exact; cpus?: string; mems?: string };
      memory?: { limit?: Exact; reservation?: Exact; swap?: Exact };
      pids?: { limit: Exact };
      devices?: Array<{ allow: boolean; type?: string; major?: number; minor?: number; access?: string }>;
      hugepageLimits?: Array<{ pageSize: string; limit: Exact }>;
      unified?: Record<string, string>;
      [other: string]: unknown;
    };
    [other: string]: unknown;
  };
};
