/** A client of CRI, what the kubelet speaks: the one way to a container that passes through NRI. */
import { readFile } from 'node:fs/promises';
import { Client, credentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import type {
  ContainerConfig,
  ContainerStatus,
  ContainerSummary,
  ExecResult,
  LinuxContainerResources,
  OciSpec,
  PodSandboxConfig,
  PodSandboxStatus,
  VersionResponse,
} from './cri-types.ts';

export type Cri = {
  version(): Promise<VersionResponse>;
  /** Whether the runtime says that it is ready (CRI condition RuntimeReady). */
  isReady(): Promise<boolean>;
  hasImage(image: string): Promise<boolean>;
  /** Resolves to the pod's id. */
  runPodSandbox(config: PodSandboxConfig): Promise<string>;
  stopPodSandbox(id: string): Promise<void>;
  removePodSandbox(id: string): Promise<void>;
  listPodSandbox(): Promise<PodSandboxStatus[]>;
  /** Resolves to the container's id. */
  createContainer(pod: string, config: ContainerConfig, podConfig: PodSandboxConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  updateContainerResources(id: string, linux: LinuxContainerResources, annotations?: Record<string, string>): Promise<void>;
  containerStatus(id: string): Promise<ContainerStatus>;
  /** The OCI spec that the container was created from, all plugins' adjustments included. */
  containerSpec(id: string): Promise<OciSpec>;
  listContainers(): Promise<ContainerSummary[]>;
  execSync(id: string, command: string[]): Promise<ExecResult>;
  /** Seconds until SIGKILL; 0 for at once. */
  stopContainer(id: string, timeout?: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  close(): void;
};

/** No call of the tests takes as long; one that does has hung. */
const callTimeout = 60_000;

/** A client for containerd's socket. It connects with the first call, and anew after containerd was restarted. */
export async function openCri(socket: string, protoFile: string): Promise<Cri> {
  const { root } = protobuf.parse(await readFile(protoFile, 'utf8'));
  const client = new Client(`unix://${socket}`, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 200,
  });

  function call<Response>(service: 'RuntimeService' | 'ImageService', name: string, request: object): Promise<Response> {
    const method = root.lookupService(`runtime.v1.${service}`).methods[name]!;
    const requestType = root.lookupType(`runtime.v1.${method.requestType}`);
    const responseType = root.lookupType(`runtime.v1.${method.responseType}`);
    const serialize = (value: object) => Buffer.from(requestType.encode(requestType.fromObject(value)).finish());
    const deserialize = (bytes: Buffer) =>
      responseType.toObject(responseType.decode(bytes), { longs: String, enums: String, defaults: true });
    // Made here, so that a failure shows the test's line and not the socket's.
    const failure = new Error(`CRI ${name}`);
    return new Promise((resolve, reject) => {
      const deadline = { deadline: Date.now() + callTimeout };
      client.makeUnaryRequest(`/runtime.v1.${service}/${name}`, serialize, deserialize, request, deadline, (error, response) => {
        if (!error) return resolve(response as Response);
        failure.message += `: ${error.details || error.message}`;
        reject(Object.assign(failure, { code: error.code }));
      });
    });
  }
  const runtime = <Response>(name: string, request: object = {}) => call<Response>('RuntimeService', name, request);
  const only = async (done: Promise<unknown>): Promise<void> => void (await done);

  return {
    version: () => runtime('Version'),
    async isReady() {
      const { status } = await runtime<{ status?: { conditions: Array<{ type: string; status: boolean }> } }>('Status');
      return status?.conditions.some(one => one.type === 'RuntimeReady' && one.status) ?? false;
    },
    async hasImage(image) {
      const response = await call<{ image?: object | null }>('ImageService', 'ImageStatus', { image: { image } });
      return Boolean(response.image);
    },
    async runPodSandbox(config) {
      return (await runtime<{ podSandboxId: string }>('RunPodSandbox', { config })).podSandboxId;
    },
    stopPodSandbox: podSandboxId => only(runtime('StopPodSandbox', { podSandboxId })),
    removePodSandbox: podSandboxId => only(runtime('RemovePodSandbox', { podSandboxId })),
    async listPodSandbox() {
      return (await runtime<{ items: PodSandboxStatus[] }>('ListPodSandbox')).items;
    },
    async createContainer(podSandboxId, config, sandboxConfig) {
      return (await runtime<{ containerId: string }>('CreateContainer', { podSandboxId, config, sandboxConfig })).containerId;
    },
    startContainer: containerId => only(runtime('StartContainer', { containerId })),
    updateContainerResources: (containerId, linux, annotations = {}) =>
      only(runtime('UpdateContainerResources', { containerId, linux, annotations })),
    async containerStatus(containerId) {
      return (await runtime<{ status: ContainerStatus }>('ContainerStatus', { containerId })).status;
    },
    async containerSpec(containerId) {
      const { info } = await runtime<{ info: Record<string, string> }>('ContainerStatus', { containerId, verbose: true });
      return (JSON.parse(info['info'] ?? '{}', exactIntegers) as { runtimeSpec: OciSpec }).runtimeSpec;
    },
    async listContainers() {
      return (await runtime<{ containers: ContainerSummary[] }>('ListContainers')).containers;
    },
    async execSync(containerId, cmd) {
      const response = await runtime<{ stdout: Buffer; stderr: Buffer; exitCode: number }>('ExecSync', { containerId, cmd, timeout: 30 });
      return { stdout: response.stdout.toString(), stderr: response.stderr.toString(), exitCode: response.exitCode };
    },
    stopContainer: (containerId, timeout = 0) => only(runtime('StopContainer', { containerId, timeout })),
    removeContainer: containerId => only(runtime('RemoveContainer', { containerId })),
    close: () => client.close(),
  };
}

/** JSON.parse's third argument holds the text of a number as it was written. */
function exactIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  const isUnsafe = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isUnsafe && /^-?\d+$/.test(context?.source ?? '') ? BigInt(context!.source!) : value;
}
