/** What each handler gets: the event's properties by name, from NRI's request. */
import type { Container, PodSandbox } from '../../types/index.d.ts';
import { adjustmentForAuthor } from '../compose/index.ts';
import type {
  ConfigureRequest,
  FieldOwners,
  UpdateContainerRequest,
  UpdatePodSandboxRequest,
  ValidateContainerAdjustmentRequest,
} from '../nri/index.ts';
import { fieldNames } from '../nri/index.ts';
import type { HandlerName, SandboxEvent } from '../sandbox/index.ts';

export type EventInput = Record<string, unknown>;

/** How the scripts' results of a handler change what later ones see; 'none' also where NRI takes no result. */
export function compositionOf(handler: HandlerName): SandboxEvent['compose'] {
  if (handler === 'createContainer') return 'create';
  return handler === 'updateContainer' ? 'update' : 'none';
}

/** NRI takes an answer to these; to all others the answer is empty, whatever the scripts do. */
export function takesAnswer(handler: HandlerName): boolean {
  return ['synchronize', 'createContainer', 'updateContainer', 'stopContainer', 'validateContainerAdjustment'].includes(handler);
}

/** An error answer fails the runtime's operation here (fact D4); elsewhere it is only logged. */
export function canFail(handler: HandlerName): boolean {
  return ['createContainer', 'updateContainer', 'runPodSandbox', 'startContainer', 'updatePodSandbox'].includes(handler);
}

export function configureInput(request: ConfigureRequest): EventInput {
  return { ...request };
}

/** The properties of a pod's or container's event, in the order in which they cross. */
export function eventInput(handler: HandlerName, request: object, pod: PodSandbox, container: Container | undefined): EventInput {
  switch (handler) {
    case 'updatePodSandbox': {
      const { overheadLinuxResources, linuxResources } = request as UpdatePodSandboxRequest;
      return { pod, overheadLinuxResources, linuxResources };
    }
    case 'updateContainer':
      return { pod, container, linuxResources: (request as UpdateContainerRequest).linuxResources ?? {} };
    case 'validateContainerAdjustment': {
      const { adjust, update, owners, plugins } = request as ValidateContainerAdjustmentRequest;
      return { pod, container, adjust: adjustmentForAuthor(adjust ?? {}), update, owners: plainOwners(owners?.owners ?? {}), plugins };
    }
    default:
      return container ? { pod, container } : { pod };
  }
}

/** Fact G3, without the two-level messages. */
function plainOwners(owners: Record<string, FieldOwners>): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(owners).map(([container, { simple, compound }]) => [
      container,
      {
        ...byName(simple),
        ...Object.fromEntries(Object.entries(compound).map(([field, keys]) => [fieldNames[Number(field)] ?? field, keys.owners])),
      },
    ]),
  );
}

function byName(simple: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(simple).map(([field, owner]) => [fieldNames[Number(field)] ?? field, owner]));
}
