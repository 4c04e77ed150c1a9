/**
 * One event's composition: what the scripts return, merged in order over the container as the runtime sent it.
 *
 * A composition is mutable state with one owner, the event. Nothing here touches the values that are handed in.
 */
import type { Container, LinuxResources } from '../../types/index.d.ts';
import { type Answer, adjustmentOf, updatesOf } from './answer.ts';
import { type Claim, readResult, type UpdateClaims } from './claims.ts';
import { entriesOf, entryAside, type LedgerEntry, type Outcome } from './ledger.ts';
import { createReport, type Problem, problemsOf, type Report, refuse, tell } from './problems.ts';
import type { Event, Field, Grant } from './schema.ts';
import { apply, createTarget, isIdle, isUnset, type Slot, slotOf, type Target } from './slots.ts';
import { isOlder, versionNumber } from './versions.ts';
import { changedBase } from './view.ts';
import { show } from './wording.ts';

/** The current state of another container, or undefined when there is none with this id. */
export type Known = (containerId: string) => Container | undefined;

/** The state of one event's composition; only this folder looks inside. */
export type Composition = {
  readonly event: Event;
  readonly nriVersion: string;
  readonly version: number | undefined;
  readonly known: Known | undefined;
  /** The container that the event is about, when scripts may change it. */
  readonly own: Target | undefined;
  readonly others: Map<string, Target>;
  /** What did not take part: shadow, refused, ignored. */
  readonly aside: LedgerEntry[];
  bytes: number;
  view: object | undefined;
};

/** Whose result it is and what it may do. With `shadow` it is validated and recorded, not applied. */
export type Contributor = { script: string; allow: ReadonlySet<Grant>; shadow?: boolean };

/** All results together must fit into one ttrpc message of 4 MiB (fact B2). */
const maxResultBytes = 1 << 20;
const maxAnswerBytes = 3 << 20;

/**
 * Starts composing a createContainer. An empty `nriVersion` is unknown: everything is sent. Without `known` nothing is known about other
 * containers.
 */
export function beginCreate(start: { container: Container; nriVersion: string; known?: Known | undefined }): Composition {
  return begin('create', start, createTarget(start.container.id, start.container));
}

/**
 * Starts composing an updateContainer (with its container's id and what its resources will become), or a stopContainer, a synchronize or
 * unsolicited updates (without).
 */
export function beginUpdate(start: {
  containerId?: string | undefined;
  linuxResources?: LinuxResources | undefined;
  nriVersion: string;
  known?: Known | undefined;
}): Composition {
  const { containerId, linuxResources } = start;
  const base = linuxResources ? { linux: { resources: linuxResources } } : {};
  return begin('update', start, containerId ? createTarget(containerId, base) : undefined);
}

function begin(event: Event, start: { nriVersion: string; known?: Known | undefined }, target: Target | undefined): Composition {
  return {
    event,
    nriVersion: start.nriVersion,
    version: versionNumber(start.nriVersion),
    known: start.known,
    own: target,
    others: new Map(),
    aside: [],
    bytes: 0,
    view: target?.base,
  };
}

/**
 * Validates what a script returned and merges it. A result that is wrong anywhere changes nothing. `claims` counts the fields that it
 * changes (or would, in shadow). Never throws, whatever JSON.parse could have made of the result; undefined and null are no change.
 */
export function contribute(composition: Composition, from: Contributor, result: unknown): { problems: Problem[]; claims: number } {
  if (result === undefined || result === null) return { problems: [], claims: 0 };
  const report = createReport();
  const { adjust, update } = readResult(composition.event, result, report);
  refuseTogether(composition, update, report);
  if (report.refused) return { problems: problemsOf(report), claims: 0 };

  let claims = 0;
  for (const claim of adjust) if (settle(composition, composition.own!, claim, from, report)) claims++;
  for (const one of update) claims += settleUpdate(composition, one, from, report);
  if (claims > 0 && !from.shadow) {
    composition.bytes += report.bytes;
    composition.view = undefined;
  }
  return { problems: problemsOf(report), claims };
}

/** What is wrong with a result that is right in every part. */
function refuseTogether({ event, own, bytes }: Composition, update: readonly UpdateClaims[], report: Report): void {
  if (report.refused) return;
  if (report.bytes > maxResultBytes) {
    refuse(report, 'TOO_LARGE', 'result', `expected at most ${maxResultBytes} bytes, got ${report.bytes}`);
  } else if (bytes + report.bytes > maxAnswerBytes) {
    refuse(report, 'TOO_LARGE', 'result', `with what earlier scripts returned it exceeds ${maxAnswerBytes} bytes; return less`);
  }
  if (event !== 'create') return;
  for (const { containerId, at } of update) {
    if (containerId === own?.id) {
      // Fact E1.
      refuse(report, 'OWN_CONTAINER', `${at}.containerId`, 'this container is only being created; return the change in adjust');
    }
  }
}

function settleUpdate(composition: Composition, update: UpdateClaims, from: Contributor, report: Report): number {
  const target = targetOf(composition, update, report);
  let claims = 0;
  for (const claim of update.claims) if (settle(composition, target, claim, from, report)) claims++;
  if (claims > 0 && !from.shadow) target.ignoreFailure = (target.ignoreFailure ?? true) && update.ignoreFailure;
  return claims;
}

function targetOf({ own, others, known }: Composition, { containerId, at }: UpdateClaims, report: Report): Target {
  if (containerId === own?.id) return own;
  const container = known?.(containerId);
  if (known && !container) {
    // Fact F5.
    tell(
      report,
      'UNKNOWN_CONTAINER',
      'warned',
      `${at}.containerId`,
      `no container ${show(containerId)} is known; runtimes skip such updates`,
    );
  }
  let target = others.get(containerId);
  if (!target) {
    target = createTarget(containerId, container);
    others.set(containerId, target);
  }
  return target;
}

/** Applies one valid claim, or puts it aside; whether it changes something. */
function settle(composition: Composition, target: Target, claim: Claim, from: Contributor, report: Report): boolean {
  const slot = slotOf(target, claim);
  if (isIdle(slot, claim)) {
    slot.idle ??= from.script;
    return false;
  }
  const dropped = drop(composition, slot, claim, from, report);
  if (dropped) {
    composition.aside.push(entryAside(target.id, slot, from.script, claim, dropped));
    return false;
  }
  warn(composition, slot, claim, report);
  if (from.shadow) composition.aside.push(entryAside(target.id, slot, from.script, claim, 'shadow'));
  else apply(slot, claim, from.script);
  return true;
}

/** Why a valid claim takes no part, told to its author; undefined when it does. */
function drop({ nriVersion, version }: Composition, slot: Slot, claim: Claim, from: Contributor, report: Report): Outcome | undefined {
  const { field, at } = claim;
  if (field.grant && !from.allow.has(field.grant)) {
    const place = placeOfField(claim);
    tell(report, 'NOT_ALLOWED', 'dropped', place, `dropped; add "allow: [${field.grant}]" to the settings file beside the script`);
    return 'refused';
  }
  if (field.since && isOlder(version, field.since)) {
    tell(report, 'NRI_TOO_OLD', 'dropped', placeOfField(claim), `dropped; it needs NRI ${field.since}, this runtime has ${nriVersion}`);
    return 'ignored';
  }
  if (claim.action === 'set' && slot.original !== undefined && isUnset(field, claim.value)) {
    tell(report, 'NOT_SETTABLE', 'dropped', at, 'dropped; NRI takes an empty value for no change');
    return 'ignored';
  }
  if (claim.action === 'remove' && slot.original !== undefined && !isRemovable(field, version)) {
    tell(report, 'NOT_REMOVABLE', 'dropped', at, 'dropped; NRI does not pass on its removal: set a value instead');
    return 'ignored';
  }
  return undefined;
}

function warn({ event }: Composition, slot: Slot, claim: Claim, report: Report): void {
  const { field, at } = claim;
  if (claim.action === 'remove') {
    if (field.removal === 'plugin-values' && slot.original !== undefined) {
      const text = 'NRI removes it only if an earlier plugin set it; what the image or the pod gives stays';
      tell(report, 'PLUGIN_VALUES_ONLY', 'warned', at, text);
    }
    return;
  }
  const caution = field.caution?.(event, claim.value, slot.original);
  if (caution) tell(report, caution.code, 'warned', at, caution.text);
}

/** An unknown version counts as one that exists: no released one forwards these removals. */
function isRemovable(field: Field, version: number | undefined): boolean {
  if (typeof field.removal !== 'object') return true;
  const before = versionNumber(field.removal.before);
  return before !== undefined && version !== undefined && version >= before;
}

/** The field of a claim without key or index, so that a grant is asked for once. */
function placeOfField({ field, at }: Claim): string {
  const start = at.startsWith('adjust') ? 'adjust.' : `${at.slice(0, at.indexOf('.'))}.`;
  return `${start}${field.name}`;
}

/**
 * The container that is being created, as changed so far: what the next script sees. The very object that was handed in while nothing has
 * changed. Undefined in updates.
 */
export function viewContainer(composition: Composition): Container | undefined {
  return composition.event === 'create' ? (view(composition) as Container) : undefined;
}

/** What the resources of the container that is being updated will become, as changed so far; undefined without one. */
export function viewResources(composition: Composition): LinuxResources | undefined {
  if (composition.event !== 'update') return undefined;
  return (view(composition) as { linux?: { resources?: LinuxResources } } | undefined)?.linux?.resources;
}

function view(composition: Composition): object | undefined {
  if (!composition.own) return undefined;
  composition.view ??= changedBase(composition.own);
  return composition.view;
}

/** The one answer to the runtime, and who changed what. Does not change the composition. */
export function finish(composition: Composition): Answer {
  const { event, own, others, aside } = composition;
  const adjust = event === 'create' && own ? adjustmentOf(own) : undefined;
  // Fact F3: the runtime delivers the updated container itself last.
  const targets = event === 'update' && own ? [...others.values(), own] : [...others.values()];
  const all = own && event === 'create' ? [own, ...targets] : targets;
  const ledger = [...all.flatMap(entriesOf), ...aside];
  return { ...(adjust && { adjust }), update: updatesOf(targets), ledger };
}
