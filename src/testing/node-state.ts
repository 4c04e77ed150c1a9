/** The pods and containers that the embedded runtime pretends to run. */
import type { Container, ContainerUpdate, LinuxResources, PodSandbox } from '../nri/messages.ts';
import { OperationError } from './operation-error.ts';

/** A pod or container, or its id. */
export type Ref = string | { readonly id: string };

export type NodeState = {
  pods(): PodSandbox[];
  containers(podSandboxId?: string): Container[];
  findPod(ref: Ref): PodSandbox | undefined;
  findContainer(ref: Ref): Container | undefined;
  /** Throws INVALID_STATE for what is not there. */
  pod(ref: Ref): PodSandbox;
  container(ref: Ref): Container;
  addPod(pod: PodSandbox): void;
  addContainer(container: Container): void;
  /** Writes these fields of a container; gives the container as it is then. */
  change(ref: Ref, fields: Partial<Container>): Container;
  removePod(ref: Ref): void;
  removeContainer(ref: Ref): void;
  /** Applies updates as containerd does; unknown containers are passed over (fact F5). */
  update(updates: readonly ContainerUpdate[]): void;
};

export type NodeStateOptions = {
  pods: readonly PodSandbox[];
  containers: readonly Container[];
  /** Something is different now. */
  onChange(): void;
};

export function createNodeState(options: NodeStateOptions): NodeState {
  const { onChange } = options;
  const pods = new Map(options.pods.map(pod => [pod.id, pod]));
  const containers = new Map(options.containers.map(container => [container.id, container]));

  function container(ref: Ref): Container {
    const found = containers.get(idOf(ref));
    if (!found) throw new OperationError('INVALID_STATE', `no container "${idOf(ref)}": create it first`);
    return found;
  }

  function set<Value extends { id: string }>(values: Map<string, Value>, value: Value): Value {
    values.set(value.id, value);
    onChange();
    return value;
  }

  function remove(values: Map<string, unknown>, ref: Ref): void {
    values.delete(idOf(ref));
    onChange();
  }

  const change = (ref: Ref, fields: Partial<Container>) => set(containers, { ...container(ref), ...fields });

  return {
    pods: () => [...pods.values()],
    containers: id => [...containers.values()].filter(each => id === undefined || each.podSandboxId === id),
    findPod: ref => pods.get(idOf(ref)),
    findContainer: ref => containers.get(idOf(ref)),
    pod(ref) {
      const found = pods.get(idOf(ref));
      if (!found) throw new OperationError('INVALID_STATE', `no pod "${idOf(ref)}": run it first`);
      return found;
    },
    container,
    addPod: pod => void set(pods, pod),
    addContainer: each => void set(containers, each),
    change,
    removePod: ref => remove(pods, ref),
    removeContainer: ref => remove(containers, ref),
    update(updates) {
      for (const { containerId, linux } of updates) {
        const target = containers.get(containerId);
        if (!target?.linux || !linux?.resources) continue;
        change(containerId, { linux: { ...target.linux, resources: updatedResources(target.linux.resources ?? {}, linux.resources) } });
      }
    },
  };
}

/** What containerd takes over of an update (fact F4). */
function updatedResources(current: LinuxResources, { memory, cpu, hugepageLimits = [], unified }: LinuxResources): LinuxResources {
  const { shares, quota, period, cpus, mems } = cpu ?? {};
  const scalars = Object.entries({ shares, quota, period, cpus: cpus || undefined, mems: mems || undefined });
  const sizes = new Set(hugepageLimits.map(limit => limit.pageSize));
  return {
    ...current,
    memory: { ...current.memory, ...(memory?.limit && { limit: memory.limit }) },
    cpu: { ...current.cpu, ...Object.fromEntries(scalars.filter(([, value]) => value !== undefined)) },
    hugepageLimits: [...(current.hugepageLimits ?? []).filter(limit => !sizes.has(limit.pageSize)), ...hugepageLimits],
    unified: { ...current.unified, ...unified },
  };
}

function idOf(ref: Ref): string {
  return typeof ref === 'string' ? ref : ref.id;
}
