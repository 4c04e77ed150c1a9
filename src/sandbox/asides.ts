/** What scripts say beside their results: counted here too, as a child that does not count is not ours any more. */
import { maxLogLines, maxLookups, type Reply } from './protocol.ts';

export type Aside = Extract<Reply, { type: 'log' | 'lookup' }>;

export type Asides = {
  /** Another task begins. */
  reset(): void;
  /** What is wrong with an aside while `running` runs; `untaken`: bytes sent to the process that it has not taken. */
  objection(aside: Aside, running: string | undefined, untaken: number): string | undefined;
};

export function createAsides(): Asides {
  let by = '';
  let lines = 0;
  let lookups = 0;

  function begin(id: string): void {
    by = id;
    lines = 0;
    lookups = 0;
  }

  return {
    reset: () => begin(''),
    objection({ type, id }, running, untaken) {
      if (id !== running) return 'it spoke for another script than the one that ran';
      if (by !== id) begin(id);
      if (type === 'log') {
        lines += 1;
        // One more: how many lines were dropped.
        return lines > maxLogLines + 1 ? 'it flooded the log' : undefined;
      }
      lookups += 1;
      if (lookups > maxLookups) return 'it asked for more than it may';
      return untaken > 0 ? 'it asked again before it had read the answer' : undefined;
    },
  };
}
