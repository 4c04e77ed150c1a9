/** The pods and containers of the node, as the runtime's events tell of them. */
import type { Container, PodSandbox } from '../../types/index.d.ts';
import { containerForAuthor } from '../compose/index.ts';
import type { ContainerRequest, PodRequest, SynchronizeRequest } from '../nri/index.ts';
import { encodeSegment, type HandlerName } from '../sandbox/index.ts';

export type Inventory = {
  /**
   * Replaces everything (NRI Synchronize). `missed` are the ids of the containers that were not known before; none the first time, when nothing was.
   */
  synchronize(request: Pick<SynchronizeRequest, 'pods' | 'containers'>): { pods: PodSandbox[]; containers: Container[]; missed: string[] };
  /** Takes in an event's pod and container, and gives them completed: late events may carry only ids (fact D10). */
  observe(request: PodRequest & ContainerRequest): { pod: PodSandbox; container: Container | undefined };
  /** Forgets what an event that has been handled says is gone. */
  forget(handler: HandlerName, pod: PodSandbox, container: Container | undefined): void;
  pod(id: string): PodSandbox | undefined;
  container(id: string): Container | undefined;
  /** Answers a script's look-up: a text (src/sandbox/values.ts), or '#' and why not. */
  lookup(kind: string, argument: string): string;
  size(): { pods: number; containers: number };
};

/** Longest answer to a look-up, UTF-16 units. */
const maxAnswer = 16 << 20;

export function createInventory(): Inventory {
  const pods = new Map<string, PodSandbox>();
  const containers = new Map<string, Container>();
  let isFirst = true;

  function found(kind: string, argument: string): unknown {
    switch (kind) {
      case 'pod':
        return pods.get(argument) ?? null;
      case 'pods':
        return [...pods.values()];
      case 'container':
        return containers.get(argument) ?? null;
      default:
        return [...containers.values()].filter(container => argument === '' || container.podSandboxId === argument);
    }
  }

  return {
    synchronize(request) {
      const missed = isFirst ? [] : request.containers.filter(({ id }) => !containers.has(id)).map(({ id }) => id);
      isFirst = false;
      pods.clear();
      containers.clear();
      for (const pod of request.pods) pods.set(pod.id, pod);
      for (const container of request.containers) containers.set(container.id, containerForAuthor(container));
      return { pods: [...pods.values()], containers: [...containers.values()], missed };
    },
    observe(request) {
      const container = request.container && containerForAuthor(request.container);
      const given = request.pod ?? blankPod(container?.podSandboxId ?? '');
      const pod = given.name === '' ? (pods.get(given.id) ?? given) : given;
      if (pod.id !== '') pods.set(pod.id, pod);
      if (container) containers.set(container.id, container);
      return { pod, container };
    },
    forget(handler, pod, container) {
      if (handler === 'removePodSandbox') {
        pods.delete(pod.id);
        for (const each of containers.values()) if (each.podSandboxId === pod.id) containers.delete(each.id);
      }
      if (handler === 'removeContainer' && container) containers.delete(container.id);
    },
    pod: id => pods.get(id),
    container: id => containers.get(id),
    lookup(kind, argument) {
      const text = encodeSegment(found(kind, argument));
      return text.length > maxAnswer ? `#the answer is larger than ${maxAnswer} characters: ask for the containers of one pod` : text;
    },
    size: () => ({ pods: pods.size, containers: containers.size }),
  };
}

function blankPod(id: string): PodSandbox {
  return { id, name: '', uid: '', namespace: '', labels: {}, annotations: {}, runtimeHandler: '', pid: 0, ips: [] };
}
