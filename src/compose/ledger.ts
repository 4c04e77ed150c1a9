/** Who set, overrode or lost what. */

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

/** One line for humans: `env.FOO = "b" (was "a") by 20-b.ts, over 10-a.ts`. */
export function formatLedgerEntry(entry: LedgerEntry): string {
  return `${entry.field} by ${entry.script}`;
}
