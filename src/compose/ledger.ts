/** Who set, overrode or lost what. */
import type { Claim } from './claims.ts';
import type { Slot, Target } from './slots.ts';

/**
 * What became of a field: `set`, `removed` and `appended` went to the runtime; `unchanged` is what the container had anyway; `shadow` was
 * only watched; `refused` lacked a grant; `ignored` would not have been honoured by NRI or by this runtime's version of it.
 */
export type Outcome = 'set' | 'removed' | 'appended' | 'unchanged' | 'shadow' | 'refused' | 'ignored';

export type LedgerEntry = {
  /** Id of the container. */
  container: string;
  /** `env.FOO`, `mounts[/data]`, `linux.resources.cpu.quota`. */
  field: string;
  /** The script whose value counts. */
  script: string;
  /** The value; null for a removal. */
  value: unknown;
  /** What the container had; undefined when nothing, or when it is not known. */
  was: unknown;
  /** Earlier scripts whose values were replaced, in order. */
  lost: { script: string; value: unknown }[];
  outcome: Outcome;
};

/** The entries of what took part, in the order of the first claims. */
export function entriesOf({ id: container, slots }: Target): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  for (const { id: field, original: was, by, idle, current, changed, lost, appended } of slots.values()) {
    if (appended.length > 0) {
      for (const { script, value } of appended) entries.push({ container, field, script, value, was, lost: [], outcome: 'appended' });
    } else if (by !== undefined || idle !== undefined) {
      const outcome = !changed ? 'unchanged' : current === undefined ? 'removed' : 'set';
      entries.push({ container, field, script: (by ?? idle)!, value: current ?? null, was, lost: [...lost], outcome });
    }
  }
  return entries;
}

/** The entry of a claim that took no part. */
export function entryAside(container: string, slot: Slot, script: string, claim: Claim, outcome: Outcome): LedgerEntry {
  const value = claim.action === 'remove' ? null : claim.value;
  return { container, field: slot.id, script, value, was: slot.original, lost: [], outcome };
}

const maxShown = 200;

/** One line for humans: `env.FOO: set to "b" (was "a") by 20-b.ts, over 10-a.ts`. */
export function formatLedgerEntry(entry: LedgerEntry): string {
  const { field, script, value, was, lost, outcome } = entry;
  const removed = value === null ? 'removed' : `set to ${text(value)}`;
  const what = {
    set: removed,
    removed,
    appended: `appended ${text(value)}`,
    unchanged: value === null ? 'was not there, removed' : `was ${text(value)} already, set`,
    shadow: `would be ${value === null ? 'removed' : text(value)}`,
    refused: `refused ${value === null ? 'its removal' : text(value)}`,
    ignored: `ignored ${value === null ? 'its removal' : text(value)}`,
  }[outcome];
  const before = was === undefined || outcome === 'unchanged' || outcome === 'appended' ? '' : ` (was ${text(was)})`;
  const over = lost.length === 0 ? '' : `, over ${[...new Set(lost.map(loser => loser.script))].join(', ')}`;
  return `${field}: ${what}${before} by ${script}${over}`;
}

function text(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  const written = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)) ?? 'nothing';
  return written.length > maxShown ? `${written.slice(0, maxShown)}…` : written;
}
