/**
 * Pods and containers as a runtime describes them, from as little as a test wants to say.
 *
 *     const pod = examplePod({ name: 'web', annotations: { 'qos.class': 'ls' } });
 *     const container = exampleContainer(pod, { name: 'app', env: { FOO: '1' } });
 */
import { createHash } from 'node:crypto';
import type { Container, Mount, PodSandbox } from '../nri/messages.ts';

/** What differs from the example. Ids are made from the names, so that the same description is the same pod. */
export type PodDescription = Partial<PodSandbox>;

/** What differs from the example. `env` may be given by name. */
export type ContainerDescription = Omit<Partial<Container>, 'env' | 'podSandboxId'> & { env?: Record<string, string> | string[] };

/** A running pod with network, ipc and uts namespaces of its own, as kubelet and containerd make it. */
export function examplePod(description: PodDescription = {}): PodSandbox {
  const { name = 'web', namespace = 'default' } = description;
  const uid = description.uid ?? uuidOf(`${namespace}/${name}`);
  const pod = {
    id: idOf(`pod ${namespace}/${name}/${uid}`),
    name,
    uid,
    namespace,
    labels: { app: name, 'io.kubernetes.pod.name': name, 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.uid': uid },
    annotations: { 'kubernetes.io/config.source': 'api' },
    runtimeHandler: '',
    pid: 4000,
    ips: ['10.244.0.7'],
  };
  const cgroupParent = `/kubepods/burstable/pod${uid}`;
  const linux = {
    podOverhead: {},
    podResources: {},
    cgroupParent,
    cgroupsPath: `${cgroupParent}/${description.id ?? pod.id}`,
    namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }, { type: 'network', path: '/var/run/netns/cni-1' }],
    resources: { cpu: { shares: 2 } },
  };
  return structuredClone({ ...pod, linux, ...description });
}

/** A container of the pod, not yet created: what a runtime gives to CreateContainer. */
export function exampleContainer(pod: PodSandbox, description: ContainerDescription = {}): Container {
  const { name = 'app', env = [], ...rest } = description;
  const id = description.id ?? idOf(`container ${pod.id}/${name}`);
  const container: Container = {
    id,
    podSandboxId: pod.id,
    name,
    state: 'CONTAINER_UNKNOWN',
    labels: kubernetesLabels(pod, name),
    annotations: kubernetesAnnotations(pod, name),
    args: ['/usr/local/bin/server', '--listen=:8080'],
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', `HOSTNAME=${pod.name}`],
    mounts: [...kernelMounts],
    pid: 0,
    rlimits: [],
    createdAt: 0,
    startedAt: 0,
    finishedAt: 0,
    exitCode: 0,
    statusReason: '',
    statusMessage: '',
    cdiDevices: [],
    user: { uid: 1000, gid: 1000, additionalGids: [1000] },
    image: { name: 'registry.example/web:1.0', digest: `sha256:${idOf('manifest')}`, configDigest: `sha256:${idOf('config')}` },
    linux: {
      namespaces: [
        { type: 'pid' },
        { type: 'ipc', path: `/proc/${pod.pid}/ns/ipc` },
        { type: 'uts', path: `/proc/${pod.pid}/ns/uts` },
        { type: 'mount' },
        { type: 'network', path: `/proc/${pod.pid}/ns/net` },
        { type: 'cgroup' },
      ],
      devices: [],
      resources: {
        memory: { limit: 268435456, swap: 268435456 },
        cpu: { shares: 256, quota: 50000, period: 100000 },
        devices: [{ allow: false, type: '', access: 'rwm' }],
        unified: {},
      },
      oomScoreAdj: 968,
      cgroupsPath: `${pod.linux?.cgroupParent ?? ''}/${id}`,
      seccompProfile: { profileType: 'RUNTIME_DEFAULT', localhostRef: '' },
      sysctl: {},
      netDevices: {},
    },
  };
  const given = Array.isArray(env) ? env : Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const all = Array.isArray(env) && env.length > 0 ? env : [...container.env, ...given];
  return structuredClone({ ...container, ...rest, env: all });
}

/** A pod with the labels and annotations of a service that a chart deployed. */
export function realisticPod(description: PodDescription = {}): PodSandbox {
  const { name = 'billing-api-6c7f9d5b8-x8w2v', namespace = 'billing-production' } = description;
  return examplePod({
    name,
    namespace,
    labels: {
      'app.kubernetes.io/name': 'billing-api',
      'app.kubernetes.io/instance': 'billing-api-production',
      'app.kubernetes.io/version': '4.12.3',
      'app.kubernetes.io/managed-by': 'Helm',
      'helm.sh/chart': 'billing-api-2.8.1',
      'pod-template-hash': '6c7f9d5b8',
      'security.istio.io/tlsMode': 'istio',
      'service.istio.io/canonical-name': 'billing-api',
      'topology.kubernetes.io/zone': 'eu-central-1b',
    },
    annotations: {
      'checksum/config': idOf('config map'),
      'checksum/secret': idOf('secret'),
      'cni.projectcalico.org/containerID': idOf('network'),
      'cni.projectcalico.org/podIP': '10.244.0.7/32',
      'kubernetes.io/config.seen': '2026-08-01T09:30:00.000000000Z',
      'kubernetes.io/config.source': 'api',
      'prometheus.io/path': '/metrics',
      'prometheus.io/port': '9090',
      'prometheus.io/scrape': 'true',
    },
    ...description,
  });
}

/**
 * A container whose CreateContainer request is as large as those of a usual Kubernetes service, about 6 KB: 30 environment variables, 12 mounts,
 * labels, annotations, namespaces, resources.
 */
export function realisticContainer(pod: PodSandbox, description: ContainerDescription = {}): Container {
  const services = ['KUBERNETES', 'BILLING_LEDGER_POSTGRES', 'BILLING_SESSION_CACHE', 'IDENTITY_USER_DIRECTORY'];
  const env = Object.fromEntries([
    ...services.flatMap(
      (service, at): Array<[string, string]> => [
        [`${service}_SERVICE_HOST`, `10.96.12.${at + 1}`],
        [`${service}_SERVICE_PORT`, '443'],
        [`${service}_PORT`, `tcp://10.96.12.${at + 1}:443`],
        [`${service}_PORT_443_TCP`, `tcp://10.96.12.${at + 1}:443`],
        [`${service}_PORT_443_TCP_PROTO`, 'tcp'],
        [`${service}_PORT_443_TCP_ADDR`, `10.96.12.${at + 1}`],
      ],
    ),
    ['LOG_LEVEL', 'info'],
    [
      'JAVA_TOOL_OPTIONS',
      '-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError -XX:+UseG1GC -Xlog:gc*:stdout -javaagent:/opt/otel/agent.jar',
    ],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://otel-collector.observability.svc:4317'],
    [
      'OTEL_RESOURCE_ATTRIBUTES',
      `service.name=billing-api,service.namespace=${pod.namespace},k8s.pod.name=${pod.name},k8s.pod.uid=${pod.uid},deployment.environment=production`,
    ],
  ]);
  const volumes = `/var/lib/kubelet/pods/${pod.uid}/volumes`;
  const mounts: Mount[] = [
    ['/etc/hosts', `/var/lib/kubelet/pods/${pod.uid}/etc-hosts`],
    ['/dev/termination-log', `/var/lib/kubelet/pods/${pod.uid}/containers/app/7a2c3c11`],
    ['/etc/app', `${volumes}/kubernetes.io~configmap/config`],
    ['/var/cache/app', `${volumes}/kubernetes.io~empty-dir/cache`],
    ['/var/run/secrets/kubernetes.io/serviceaccount', `${volumes}/kubernetes.io~projected/kube-api-access-x8w2v`],
  ].map(([destination, source]) => ({ destination: destination!, type: 'bind', source: source!, options: ['rbind', 'rprivate', 'rw'] }));
  const { name = 'app' } = description;
  const annotations = {
    ...kubernetesAnnotations(pod, name),
    'io.kubernetes.container.hash': '9a1f0c2e',
    'io.kubernetes.container.ports':
      '[{"name":"http","containerPort":8080,"protocol":"TCP"},{"name":"metrics","containerPort":9090,"protocol":"TCP"}]',
    'io.kubernetes.container.restartCount': '0',
    'io.kubernetes.container.terminationMessagePath': '/dev/termination-log',
    'io.kubernetes.container.terminationMessagePolicy': 'File',
    'io.kubernetes.pod.terminationGracePeriod': '30',
  };
  return exampleContainer(pod, { env, annotations, mounts: [...kernelMounts, ...mounts], ...description });
}

const kernelMounts: Mount[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
  { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'] },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'] },
  { destination: '/dev/shm', type: 'bind', source: '/run/containerd/sandboxes/shm', options: ['rbind', 'rprivate', 'rw'] },
];

function kubernetesLabels(pod: PodSandbox, name: string): Record<string, string> {
  return {
    'io.kubernetes.container.name': name,
    'io.kubernetes.pod.name': pod.name,
    'io.kubernetes.pod.namespace': pod.namespace,
    'io.kubernetes.pod.uid': pod.uid,
  };
}

function kubernetesAnnotations(pod: PodSandbox, name: string): Record<string, string> {
  return {
    'io.kubernetes.cri.container-name': name,
    'io.kubernetes.cri.container-type': 'container',
    'io.kubernetes.cri.image-name': 'registry.example/web:1.0',
    'io.kubernetes.cri.sandbox-id': pod.id,
    'io.kubernetes.cri.sandbox-name': pod.name,
    'io.kubernetes.cri.sandbox-namespace': pod.namespace,
    'io.kubernetes.cri.sandbox-uid': pod.uid,
  };
}

function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function uuidOf(text: string): string {
  return idOf(text).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
