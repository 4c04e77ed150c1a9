/** Pods and containers as tests want them: with defaults for all that a test does not care about. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cgroup, cgroupAt } from './cgroup.ts';
import type { Cri } from './cri.ts';
import type { ContainerConfig, ContainerStatus, LinuxContainerResources, OciSpec, PodSandboxConfig } from './cri-types.ts';
import { busyboxImage } from './images.ts';

export type PodOptions = {
  /** Default: `pod`; need not be unique. */
  name?: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
};

export type Pod = {
  readonly id: string;
  readonly uid: string;
  /** Creates and starts a container. */
  runContainer(options?: ContainerOptions): Promise<Container>;
  /** Creates a container that is not started yet. */
  createContainer(options?: ContainerOptions): Promise<Container>;
  stop(): Promise<void>;
  /** Removes a stopped pod, and its containers. */
  remove(): Promise<void>;
};

export type ContainerOptions = {
  /** Default: `main`; unique in its pod. */
  name?: string;
  /** Default: sleeps until it is stopped. */
  command?: string[];
  env?: Record<string, string>;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
  resources?: LinuxContainerResources;
  mounts?: ContainerConfig['mounts'];
};

export type Container = {
  readonly id: string;
  readonly name: string;
  start(): Promise<void>;
  status(): Promise<ContainerStatus>;
  /** The OCI spec that it was created from. */
  spec(): Promise<OciSpec>;
  /** What a command inside wrote to standard output; throws when it does not exit with 0. */
  exec(...command: string[]): Promise<string>;
  /** What the container wrote, without CRI's time stamps. */
  output(): string[];
  /** As the kubelet resizes a container (CRI UpdateContainerResources). */
  update(resources: LinuxContainerResources): Promise<void>;
  cgroup(): Promise<Cgroup>;
  stop(): Promise<void>;
  remove(): Promise<void>;
};

/** Runs a pod in the host's network (a pod with its own would need CNI), its cgroups below `cgroup`. */
export async function runPod(cri: Cri, cgroup: string, logs: string, options: PodOptions = {}): Promise<Pod> {
  const { name = 'pod', namespace = 'default', labels = {}, annotations = {} } = options;
  const uid = randomUUID();
  const logDirectory = join(logs, uid);
  const config: PodSandboxConfig = {
    metadata: { name: `${name}`, uid, namespace },
    logDirectory,
    // Given, so that nothing of the host's resolv.conf matters.
    dnsConfig: { servers: ['127.0.0.1'] },
    labels: { 'io.kubernetes.pod.name': name, 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.uid': uid, ...labels },
    annotations,
    linux: { cgroupParent: `${cgroup}/${uid}`, securityContext: { namespaceOptions: { network: 'NODE' } } },
  };
  const id = await cri.runPodSandbox(config);

  async function createContainer(wanted: ContainerOptions = {}): Promise<Container> {
    const { name: containerName = 'main', command = ['sleep', '1000000'], env = {}, resources = {} } = wanted;
    const logPath = `${containerName}.log`;
    const container = await cri.createContainer(
      id,
      {
        metadata: { name: containerName },
        image: { image: busyboxImage },
        command,
        envs: Object.entries(env).map(([key, value]) => ({ key, value })),
        mounts: wanted.mounts ?? [],
        labels: { 'io.kubernetes.container.name': containerName, ...wanted.labels },
        annotations: wanted.annotations ?? {},
        logPath,
        linux: { resources },
      },
      config,
    );
    return containerHandle(cri, container, containerName, join(logDirectory, logPath));
  }

  return {
    id,
    uid,
    createContainer,
    async runContainer(wanted) {
      const container = await createContainer(wanted);
      await container.start();
      return container;
    },
    stop: () => cri.stopPodSandbox(id),
    remove: () => cri.removePodSandbox(id),
  };
}

function containerHandle(cri: Cri, id: string, name: string, log: string): Container {
  return {
    id,
    name,
    start: () => cri.startContainer(id),
    status: () => cri.containerStatus(id),
    spec: () => cri.containerSpec(id),
    async exec(...command) {
      const { stdout, stderr, exitCode } = await cri.execSync(id, command);
      if (exitCode !== 0) throw new Error(`${command.join(' ')} in ${name} exited with ${exitCode}: ${stderr || stdout}`);
      return stdout;
    },
    // "TIME STREAM TAG TEXT" (design-proposals, kubelet-cri-logging.md).
    output: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map(line => line.split(' ').slice(3).join(' ')),
    update: resources => cri.updateContainerResources(id, resources),
    cgroup: async () => cgroupAt((await cri.containerSpec(id)).linux.cgroupsPath),
    stop: () => cri.stopContainer(id),
    remove: () => cri.removeContainer(id),
  };
}
