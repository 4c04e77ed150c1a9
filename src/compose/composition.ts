/**
 * One event's composition: what the scripts return, merged in order over the container as the runtime sent it.
 *
 * A composition is mutable state with one owner, the event. Nothing here touches the values that are handed in.
 */
import type { Container, ContainerUpdate, LinuxResources } from '../../types/index.d.ts';
import type { Answer } from './answer.ts';
import type { Problem } from './problems.ts';
import type { Grant } from './schema.ts';

/** The current state of another container, or undefined when there is none with this id. */
export type Known = (containerId: string) => Container | undefined;

/** Opaque to callers. */
export type Composition = { readonly event: 'create' | 'update' };

/** Starts composing a createContainer. */
export function beginCreate(_start: { container: Container; nriVersion: string; known?: Known }): Composition {
  return { event: 'create' };
}

/** Starts composing an updateContainer (with `containerId`), a stopContainer, a synchronize or unsolicited updates (without). */
export function beginUpdate(_start: {
  containerId?: string;
  linuxResources?: LinuxResources;
  nriVersion: string;
  known?: Known;
}): Composition {
  return { event: 'update' };
}

/** Whose result it is and what it may do. */
export type Contributor = { script: string; allow: ReadonlySet<Grant>; shadow?: boolean };

/** Validates what a script returned and merges it. A result that is wrong anywhere changes nothing. Never throws. */
export function contribute(_composition: Composition, _from: Contributor, _result: unknown): { problems: Problem[]; claims: number } {
  return { problems: [], claims: 0 };
}

/** The container that is being created, as changed so far. The very object that was handed in while nothing has changed. */
export function viewContainer(_composition: Composition): Container | undefined {
  return undefined;
}

/** What the resources of the container that is being updated will become, as changed so far. */
export function viewResources(_composition: Composition): LinuxResources | undefined {
  return undefined;
}

/** The one answer to the runtime, and who changed what. */
export function finish(_composition: Composition): Answer {
  const update: ContainerUpdate[] = [];
  return { update, ledger: [] };
}
