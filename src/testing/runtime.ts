/**
 * An NRI runtime in this process: a real unix socket, upstream's rules, no containers. It is what a plugin meets in containerd or CRI-O, for
 * demonstrations, benchmarks and tests.
 *
 *     const runtime = await startRuntime({ socketPath });
 *     await runtime.waitForPlugin('10-scripts');
 *     const pod = await runtime.runPod(examplePod());
 *     const { spec } = await runtime.createContainer(pod, exampleContainer(pod));
 *     await runtime.stop();
 *
 * Every event goes to all plugins in turn, and no two events at once (fact D1); an operation is kept back while a plugin synchronises (fact C14).
 * An operation that fails rejects with an {@link OperationError} that has upstream's text.
 */
import {
  type Container,
  type ContainerUpdate,
  createCodec,
  type EventName,
  type EventRequest,
  type LinuxResources,
  type PodSandbox,
} from '../nri/index.ts';
import { createGate, createLock } from './locks.ts';
import { createNodeState, type Ref } from './node-state.ts';
import { runtimeIdentity } from './nri-features.ts';
import { type CreatedContainer, createOperations } from './operations.ts';
import type { CallRecord, Plugin } from './plugin.ts';
import { createPluginSet, type Departure } from './plugin-set.ts';
import type { RuntimeOptions } from './runtime-options.ts';
import { listen } from './socket.ts';
import { createWatch } from './watch.ts';

export type PluginInfo = Pick<Plugin, 'name' | 'index' | 'id' | 'events' | 'launched'>;

export type EmbeddedRuntime = {
  readonly socketPath: string;
  /** The plugins in service, in the order in which they are called. */
  plugins(): PluginInfo[];
  /** The connections that have ended, and why. */
  readonly departures: readonly Departure[];
  /** The last 10000 calls to plugins. */
  readonly calls: readonly CallRecord[];
  /** Resolves when a plugin, this one when an `NN-name` or name is given, is in service. Rejects after the timeout, default 10 s. */
  waitForPlugin(plugin?: string, timeoutMs?: number): Promise<PluginInfo>;
  /** Resolves when a connection of this plugin, or of any, has ended. Rejects after the timeout, default 10 s. */
  waitForDeparture(plugin?: string, timeoutMs?: number): Promise<Departure>;
  /** Resolves when the condition holds; it is looked at whenever a plugin, a pod or a container changes. Rejects after the timeout, default 10 s. */
  waitFor(condition: () => boolean, timeoutMs?: number): Promise<void>;
  /** Starts the program `NN-name` as the runtime's own plugin (facts A2, C6); resolves when it is in service. */
  launchPlugin(path: string, config?: string): Promise<PluginInfo>;

  pods(): PodSandbox[];
  containers(pod?: Ref): Container[];
  /** Throws INVALID_STATE for an unknown one. */
  pod(ref: Ref): PodSandbox;
  container(ref: Ref): Container;

  /** RunPodSandbox; when it fails, StopPodSandbox and RemovePodSandbox follow (fact D10). */
  runPod(pod: PodSandbox): Promise<PodSandbox>;
  /** UpdatePodSandbox, PostUpdatePodSandbox; before NRI 0.10 nothing. */
  updatePod(pod: Ref, resources: { overhead?: LinuxResources; resources?: LinuxResources }): Promise<PodSandbox>;
  /** Stops the pod's containers, then StopPodSandbox. */
  stopPod(pod: Ref): Promise<void>;
  /** Stops and removes what is left of the pod, then RemovePodSandbox. */
  removePod(pod: Ref): Promise<void>;
  /** CreateContainer, ValidateContainerAdjustment, PostCreateContainer; when it fails, StopContainer and RemoveContainer follow (fact D10). */
  createContainer(pod: Ref, container: Container): Promise<CreatedContainer>;
  /** StartContainer, PostStartContainer. */
  startContainer(container: Ref): Promise<Container>;
  /** UpdateContainer, PostUpdateContainer; resolves to the resources as the plugins left them. */
  updateContainer(container: Ref, resources: LinuxResources): Promise<{ container: Container; update: ContainerUpdate[] }>;
  /** StopContainer: also what a container's own exit causes. */
  stopContainer(container: Ref, exitCode?: number): Promise<{ update: ContainerUpdate[] }>;
  /** Stops it if it runs, then RemoveContainer. */
  removeContainer(container: Ref): Promise<void>;
  /** Sends any event to all plugins that subscribed to it, as it is: for what no orderly life of a container brings about. */
  sendEvent<Name extends EventName>(event: Name, request: EventRequest<Name>): Promise<void>;

  /** Ends all connections, kills launched plugins and removes the socket file. */
  stop(): Promise<void>;
  /** What kill -9 does: connections are cut, launched plugins go on, the socket file stays with nobody behind it. */
  crash(): Promise<void>;
};

export async function startRuntime(options: RuntimeOptions): Promise<EmbeddedRuntime> {
  const { socketPath, requestTimeoutMs = 2000, registrationTimeoutMs = 5000, resolvers, layout, strict, synchronizeBytesMax } = options;
  const identity = runtimeIdentity(options);
  const log = options.onLog ?? (() => {});
  const watch = createWatch();
  const state = createNodeState({ pods: options.pods ?? [], containers: options.containers ?? [], onChange: watch.changed });
  const events = createLock();
  const gate = createGate();
  const calls: CallRecord[] = [];

  const plugins = createPluginSet({
    codec: createCodec(),
    identity,
    requestTimeoutMs,
    registrationTimeoutMs,
    ...(layout && { layout }),
    ...(strict !== undefined && { strict }),
    ...(synchronizeBytesMax !== undefined && { synchronizeBytesMax }),
    log,
    onCall(record) {
      if (calls.length >= callsMax) calls.splice(0, callsMax / 2);
      calls.push(record);
      options.onCall?.(record);
    },
    synchronize,
    onChange: watch.changed,
    onUpdateContainers: update => events.run(() => updateUnasked(update)),
  });

  async function synchronize(plugin: Plugin): Promise<void> {
    if (plugin.launched && !identity.nri.syncsLaunched) return;
    const run = () =>
      events.run(async () => {
        const listed = state.containers().filter(({ state }) => state !== 'CONTAINER_STOPPED' && state !== 'CONTAINER_UNKNOWN');
        state.update(await plugin.synchronize(state.pods(), listed));
      });
    await (identity.nri.holdsOperations ? gate.exclusive(run) : run());
  }

  function updateUnasked(update: ContainerUpdate[]): ContainerUpdate[] {
    const failed = update.filter(each => options.failUpdate?.(each));
    state.update(update.filter(each => !failed.includes(each)));
    return failed.filter(each => !each.ignoreFailure);
  }

  const operations = createOperations({ state, nri: identity.nri, plugins: plugins.inOrder, events, resolvers, log });
  const listener = await listen(socketPath, socket => {
    plugins.admit(socket).catch(() => {});
  });

  const ended = (wanted?: string) => plugins.departures.findLast(each => wanted === undefined || isNamed(each.plugin, wanted));
  const serving = (wanted?: string) => plugins.inOrder().find(each => wanted === undefined || isNamed(each.id, wanted));
  const whatHappened = () => plugins.departures.slice(-3).map(({ plugin, reason }) => `${plugin || 'a connection'} ended: ${reason}`);

  return {
    socketPath,
    plugins: () => plugins.inOrder().map(infoOf),
    departures: plugins.departures,
    calls,
    async waitForPlugin(wanted, timeoutMs) {
      const plugin = await watch.until(
        () => serving(wanted),
        timeoutMs,
        () => [`plugin ${wanted ?? ''} did not come into service`, ...whatHappened()],
      );
      return infoOf(plugin);
    },
    waitForDeparture: (wanted, timeoutMs) =>
      watch.until(
        () => ended(wanted),
        timeoutMs,
        () => [`no connection of ${wanted ?? 'a plugin'} ended`],
      ),
    async waitFor(condition, timeoutMs) {
      await watch.until(
        () => condition() || undefined,
        timeoutMs,
        () => ['the condition did not come to hold', ...whatHappened()],
      );
    },
    launchPlugin: async (path, config = '') => infoOf(await plugins.launch(path, config)),
    pods: state.pods,
    containers: pod => state.containers(pod === undefined ? undefined : state.pod(pod).id),
    pod: state.pod,
    container: state.container,
    runPod: pod => gate.pass(() => operations.runPod(pod)),
    updatePod: (pod, resources) => gate.pass(() => operations.updatePod(pod, resources)),
    stopPod: pod => gate.pass(() => operations.stopPod(pod)),
    removePod: pod => gate.pass(() => operations.removePod(pod)),
    createContainer: (pod, container) => gate.pass(() => operations.createContainer(pod, container)),
    startContainer: container => gate.pass(() => operations.startContainer(container)),
    updateContainer: (container, resources) => gate.pass(() => operations.updateContainer(container, resources)),
    stopContainer: (container, exitCode) => gate.pass(() => operations.stopContainer(container, exitCode)),
    removeContainer: container => gate.pass(() => operations.removeContainer(container)),
    sendEvent: (event, request) => gate.pass(() => operations.sendEvent(event, request)),
    async stop() {
      await plugins.close();
      await listener.close();
    },
    async crash() {
      plugins.abandon();
      await listener.crash();
    },
  };
}

const callsMax = 10_000;

function isNamed(id: string, wanted: string): boolean {
  return id === wanted || id.slice(3) === wanted;
}

function infoOf({ name, index, id, events, launched }: Plugin): PluginInfo {
  return { name, index, id, events, launched };
}
