/** When an event must be answered. */
import { monotonicNow } from '../sandbox/index.ts';

/** What the runtime waits when it does not say (NRI's default, fact D2), milliseconds. */
export const defaultRequestTimeout = 2000;

export type Deadline = {
  /** Monotonic milliseconds: scripts are over by then. */
  scripts: number;
  /** Monotonic milliseconds: whatever is there by then is the answer. */
  answer: number;
  /** Monotonic milliseconds: the runtime gives up then. */
  runtime: number;
};

/**
 * The runtime's real time left minus a margin for composing, encoding and a busy machine: a tenth, at least 20 ms and at most 250 ms,
 * but never more than half.
 *
 * @param callDeadline `performance.now()` milliseconds; Infinity when the call has none (fact B5)
 * @param requestTimeout milliseconds, as Configure told; 0 when it did not
 */
export function deadlineOf(callDeadline: number, requestTimeout: number): Deadline {
  const now = monotonicNow();
  const left = Number.isFinite(callDeadline) ? Math.max(0, callDeadline - performance.now()) : requestTimeout || defaultRequestTimeout;
  const margin = Math.min(left / 2, Math.min(250, Math.max(20, left / 10)));
  return { scripts: now + left - margin, answer: now + left - margin / 2, runtime: now + left };
}
