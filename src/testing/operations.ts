/**
 * The operations on pods and containers, as a CRI runtime carries them out around NRI: which events there are in which order, and whose failure is
 * whose (facts D4, D10).
 */
import type {
  Container,
  ContainerAdjustment,
  ContainerUpdate,
  EventName,
  EventRequest,
  EventResponse,
  LinuxResources,
  PodSandbox,
} from '../nri/index.ts';
import { applyAdjustment, type Resolvers } from './apply-adjustment.ts';
import type { Lock } from './locks.ts';
import { mergeCreateContainer, mergeStopContainer, mergeUpdateContainer } from './merge.ts';
import type { NodeState, Ref } from './node-state.ts';
import type { NriFeatures } from './nri-features.ts';
import { containerOf, type OciSpec, specOf } from './oci-spec.ts';
import { OperationError } from './operation-error.ts';
import type { NamedOwners } from './owners.ts';
import type { Plugin } from './plugin.ts';

export type CreatedContainer = {
  /** The container as it was created, with all plugins' changes. */
  container: Container;
  /** Its OCI spec. */
  spec: OciSpec;
  /** All plugins' adjustments, merged. */
  adjust: ContainerAdjustment;
  /** Their updates of other containers. */
  update: ContainerUpdate[];
  /** Who set what. */
  owners: NamedOwners;
};

export type Operations = {
  runPod(pod: PodSandbox): Promise<PodSandbox>;
  updatePod(pod: Ref, resources: { overhead?: LinuxResources; resources?: LinuxResources }): Promise<PodSandbox>;
  stopPod(pod: Ref): Promise<void>;
  removePod(pod: Ref): Promise<void>;
  createContainer(pod: Ref, container: Container): Promise<CreatedContainer>;
  startContainer(container: Ref): Promise<Container>;
  updateContainer(container: Ref, resources: LinuxResources): Promise<{ container: Container; update: ContainerUpdate[] }>;
  stopContainer(container: Ref, exitCode?: number): Promise<{ update: ContainerUpdate[] }>;
  removeContainer(container: Ref): Promise<void>;
  sendEvent<Name extends EventName>(event: Name, request: EventRequest<Name>): Promise<void>;
};

export type OperationsOptions = {
  state: NodeState;
  nri: NriFeatures;
  /** The plugins in the order in which they are called. */
  plugins(): Plugin[];
  /** Held while an event goes round. */
  events: Lock;
  resolvers: Resolvers | undefined;
  log(line: string): void;
};

export function createOperations(options: OperationsOptions): Operations {
  const { state, nri, plugins, events, resolvers, log } = options;

  /** To all plugins in order; the first error keeps the later ones from it. */
  function send<Name extends EventName>(event: Name, request: EventRequest<Name>): Promise<void> {
    return events.run(async () => {
      for (const plugin of plugins()) await plugin.ask(event, request);
    });
  }

  /** For events whose failure containerd only logs (fact D4). */
  async function sendLogged<Name extends EventName>(event: Name, request: EventRequest<Name>): Promise<void> {
    await logged(event, () => send(event, request));
  }

  async function logged<Result>(what: EventName, run: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await run();
    } catch (error) {
      log(`NRI ${what} failed: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  /** Asks all plugins in order; each sees what the answers before it made of the request. */
  async function collect<Name extends EventName>(
    event: Name,
    merge: { request: EventRequest<Name>; add(response: EventResponse, plugin: string): void },
  ): Promise<void> {
    for (const plugin of plugins()) {
      const response = await plugin.ask(event, merge.request);
      if (response) merge.add(response, plugin.id);
    }
  }

  function combineCreate(pod: PodSandbox, container: Container) {
    return events.run(async () => {
      const merge = mergeCreateContainer({ pod, container }, nri.merge);
      const asked = plugins();
      const validators = asked.filter(plugin => plugin.isSubscribed('validateContainerAdjustment'));
      const pristine = validators.length > 0 ? structuredClone(merge.request.container) : undefined;
      await collect('createContainer', merge);
      const result = merge.result();
      if (pristine) {
        const instances = asked.map(({ name, index }) => ({ name, index }));
        const request = { pod, container: pristine, ...result, owners: merge.owners.message(), plugins: instances };
        await allOrFirstError(validators.map(plugin => plugin.validate(request)));
      }
      return { ...result, owners: merge.owners.named() };
    });
  }

  async function createContainer(podRef: Ref, given: Container): Promise<CreatedContainer> {
    const pod = state.pod(podRef);
    if (state.findContainer(given)) throw new OperationError('INVALID_STATE', `container "${given.id}" exists already: give another id`);
    try {
      const { adjust, update, owners } = await combineCreate(pod, given);
      const spec = applyAdjustment(specOf(given), adjust, resolvers);
      const created = { ...containerOf(spec, given), state: 'CONTAINER_CREATED' as const, createdAt: now() };
      state.addContainer({ ...created, ...(adjust.cdiDevices?.length && { cdiDevices: [...given.cdiDevices, ...adjust.cdiDevices] }) });
      state.update(update);
      const container = state.container(given);
      await sendLogged('postCreateContainer', { pod, container });
      return { container, spec, adjust, update, owners };
    } catch (error) {
      await sendLogged('stopContainer', { pod, container: given });
      await sendLogged('removeContainer', { pod, container: given });
      throw error;
    }
  }

  async function startContainer(ref: Ref): Promise<Container> {
    const { pod, container } = both(ref);
    if (container.state !== 'CONTAINER_CREATED')
      throw new OperationError('INVALID_STATE', `container "${container.id}" is ${container.state}: only a created one can be started`);
    try {
      await send('startContainer', { pod, container });
    } catch (error) {
      state.change(ref, { state: 'CONTAINER_STOPPED', finishedAt: now(), exitCode: 128 });
      throw error;
    }
    const started = state.change(ref, { state: 'CONTAINER_RUNNING', startedAt: now(), pid: pidOf(container.id) });
    await sendLogged('postStartContainer', { pod, container: started });
    return started;
  }

  async function updateContainer(ref: Ref, linuxResources: LinuxResources) {
    const { pod, container } = both(ref);
    const update = await events.run(async () => {
      const merge = mergeUpdateContainer({ pod, container, linuxResources }, nri.merge);
      await collect('updateContainer', merge);
      return merge.result().update;
    });
    const own = update.find(each => each.containerId === container.id) ?? {
      containerId: container.id,
      linux: { resources: linuxResources },
    };
    state.update([...update.filter(each => each !== own), own]);
    const updated = state.container(ref);
    await sendLogged('postUpdateContainer', { pod, container: updated });
    return { container: updated, update };
  }

  async function stopContainer(ref: Ref, exitCode = 0): Promise<{ update: ContainerUpdate[] }> {
    const { pod, container } = both(ref);
    const ended = { state: 'CONTAINER_STOPPED' as const, finishedAt: now(), exitCode, pid: 0 };
    const stopped = container.state === 'CONTAINER_STOPPED' ? container : state.change(ref, ended);
    const update = await logged('stopContainer', () =>
      events.run(async () => {
        const merge = { ...mergeStopContainer(nri.merge), request: { pod, container: stopped } };
        await collect('stopContainer', merge);
        return merge.result().update;
      }),
    );
    state.update(update ?? []);
    return { update: update ?? [] };
  }

  async function removeContainer(ref: Ref): Promise<void> {
    if (state.container(ref).state === 'CONTAINER_RUNNING') await stopContainer(ref, 137);
    const { pod, container } = both(ref);
    await sendLogged('removeContainer', { pod, container });
    state.removeContainer(ref);
  }

  async function runPod(pod: PodSandbox): Promise<PodSandbox> {
    if (state.findPod(pod)) throw new OperationError('INVALID_STATE', `pod "${pod.id}" runs already: give another name or id`);
    try {
      await send('runPodSandbox', { pod });
    } catch (error) {
      await sendLogged('stopPodSandbox', { pod });
      await sendLogged('removePodSandbox', { pod });
      throw error;
    }
    state.addPod(pod);
    return pod;
  }

  async function updatePod(ref: Ref, { overhead, resources }: { overhead?: LinuxResources; resources?: LinuxResources }) {
    const pod = state.pod(ref);
    if (!nri.laterEvents) return pod;
    const given = { ...(overhead && { overheadLinuxResources: overhead }), ...(resources && { linuxResources: resources }) };
    await send('updatePodSandbox', { pod, ...given });
    const linux = pod.linux ?? { cgroupParent: '', cgroupsPath: '', namespaces: [] };
    const changes = { ...(overhead && { podOverhead: overhead }), ...(resources && { podResources: resources }) };
    const updated = { ...pod, linux: { ...linux, ...changes } };
    state.addPod(updated);
    await sendLogged('postUpdatePodSandbox', { pod: updated });
    return updated;
  }

  async function stopPod(ref: Ref): Promise<void> {
    const pod = state.pod(ref);
    for (const container of state.containers(pod.id)) if (container.state === 'CONTAINER_RUNNING') await stopContainer(container, 137);
    await sendLogged('stopPodSandbox', { pod });
  }

  async function removePod(ref: Ref): Promise<void> {
    const pod = state.pod(ref);
    for (const container of state.containers(pod.id)) await removeContainer(container);
    await sendLogged('removePodSandbox', { pod });
    state.removePod(ref);
  }

  function both(ref: Ref): { pod: PodSandbox; container: Container } {
    const container = state.container(ref);
    return { pod: state.pod(container.podSandboxId), container };
  }

  return {
    runPod,
    updatePod,
    stopPod,
    removePod,
    createContainer,
    startContainer,
    updateContainer,
    stopContainer,
    removeContainer,
    sendEvent: send,
  };
}

/** Waits for all; the error that came first counts. */
async function allOrFirstError(validations: Promise<void>[]): Promise<void> {
  try {
    await Promise.all(validations);
  } finally {
    await Promise.allSettled(validations);
  }
}

function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/** Some process id, the same for the same container. */
function pidOf(id: string): number {
  return 10_000 + (Number.parseInt(id.slice(0, 4), 16) || 0);
}
