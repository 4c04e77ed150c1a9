/**
 * The combined answer of all plugins to one call, built answer by answer as upstream does (facts E1 to E5, F1 to F4). A plugin sees the
 * request as the earlier ones changed it: send it `request`, then `add` its response. `add` throws an {@link OperationError} that fails the operation.
 */
import type {
  ContainerAdjustment,
  ContainerRequest,
  ContainerUpdate,
  CreateContainerResponse,
  LinuxResources,
  UpdateContainerRequest,
  UpdateContainerResponse,
} from '../nri/messages.ts';
import { createAdjustments, type PreparedContainer } from './merge-adjustment.ts';
import { type Claim, mergeResources, prepareResources } from './merge-resources.ts';
import { latestRules, type MergeRules } from './merge-rules.ts';
import { OperationError } from './operation-error.ts';
import { createOwners, type Owners } from './owners.ts';

type WithContainer<Request extends ContainerRequest> = Request & Required<Pick<ContainerRequest, 'container'>>;

export type CreateMerge = {
  readonly request: ContainerRequest & { container: PreparedContainer };
  readonly owners: Owners;
  /** Evictions are dropped (fact E1). */
  add(response: CreateContainerResponse, plugin: string): void;
  result(): { adjust: ContainerAdjustment; update: ContainerUpdate[] };
};

/** By the latest version's rules unless others are given, as the other two. */
export function mergeCreateContainer(given: WithContainer<ContainerRequest>, rules: MergeRules = latestRules): CreateMerge {
  const owners = createOwners(rules);
  const { container, pod } = structuredClone(given);
  const adjustments = createAdjustments(container, owners);
  const updates = createUpdates(owners);
  return {
    request: { ...(pod && { pod }), container: adjustments.container },
    owners,
    add(response, plugin) {
      if (response.adjust) adjustments.add(rules.known(response.adjust), plugin);
      for (const update of response.update ?? []) {
        if (update.containerId === container.id)
          throw new OperationError('UPDATE_DURING_CREATION', `plugin "${plugin}" asked update of "${container.id}" during creation`, [
            plugin,
          ]);
        updates.add(update, plugin);
      }
    },
    result: () => ({ adjust: adjustments.merged, update: updates.list() }),
  };
}

export type UpdateMerge = {
  readonly request: WithContainer<UpdateContainerRequest>;
  add(response: UpdateContainerResponse, plugin: string): void;
  /** The container's own update is the last; without one the request stays as it was (fact F3). */
  result(): { update: ContainerUpdate[] };
};

export function mergeUpdateContainer(given: WithContainer<UpdateContainerRequest>, rules: MergeRules = latestRules): UpdateMerge {
  const request = structuredClone(given);
  request.linuxResources = prepareResources(request.linuxResources);
  const updates = createUpdates(createOwners(rules), request);
  return {
    request,
    add(response, plugin) {
      for (const update of response.update ?? []) updates.add(update, plugin);
    },
    result: () => ({ update: updates.list() }),
  };
}

export type StopMerge = Pick<UpdateMerge, 'add' | 'result'>;

export function mergeStopContainer(rules: MergeRules = latestRules): StopMerge {
  const updates = createUpdates(createOwners(rules));
  return {
    add(response, plugin) {
      for (const update of response.update ?? []) updates.add(update, plugin);
    },
    result: () => ({ update: updates.list() }),
  };
}

type MergedUpdate = ContainerUpdate & { linux: { resources: LinuxResources } };

/** Merges updates per container. `requested` is the update that the runtime asked about: answers for its container build on it. */
function createUpdates(owners: Owners, requested?: WithContainer<UpdateContainerRequest>) {
  const updates = new Map<string, MergedUpdate>();

  function merge(update: ContainerUpdate, into: MergedUpdate, plugin: string): void {
    const given = update.linux?.resources;
    if (!given) return;
    const id = update.containerId;
    const own = requested?.container.id === id ? requested : undefined;
    const claim: Claim = (field, key) => (key === undefined ? owners.claim(id, field, plugin) : owners.claimKey(id, field, key, plugin));
    const resources = prepareResources(structuredClone(own?.linuxResources ?? into.linux.resources));
    mergeResources(given, [resources], claim);
    // Upstream looks at the limit that is there, not at the one that the plugin gives (fact F4).
    if (resources.pids) claim('PidsLimit');
    into.linux.resources = resources;
    if (own) own.linuxResources = structuredClone(resources);
  }

  return {
    add(update: ContainerUpdate, plugin: string): void {
      const { containerId, ignoreFailure = false } = update;
      const into = updates.get(containerId) ?? { containerId, linux: { resources: prepareResources() }, ignoreFailure };
      into.ignoreFailure = into.ignoreFailure === true && ignoreFailure;
      updates.set(containerId, into);
      try {
        merge(update, into, plugin);
      } catch (error) {
        if (!ignoreFailure) throw error;
      }
    },
    list(): ContainerUpdate[] {
      const own = requested && updates.get(requested.container.id);
      const others = [...updates.values()].filter(update => update !== own);
      return own ? [...others, own] : others;
    },
  };
}
