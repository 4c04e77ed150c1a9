/** The event that waits for its scripts: what has run, what has yet to, and its end at the deadline whatever happens. */
import { monotonicNow } from './clock.ts';
import type { RunTimes, SandboxEvent } from './contract.ts';
import { notRun, type ScriptRun } from './script-run.ts';

export type ActiveEvent = {
  readonly event: SandboxEvent;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** Ids of scripts that have not been reported, in order. */
  readonly remaining: string[];
  times: RunTimes | undefined;
  /** Takes the run of one that remains; nothing is taken after the end. */
  report(run: ScriptRun): void;
  /** Ends it: what remains did not run. */
  finish(): void;
};

/** Calls `onRun` once per script, and `onEnd` once: with its last report, or at the deadline, when `look` has reported what is there. */
export function beginEvent(event: SandboxEvent, look: () => void, onRun: (run: ScriptRun) => void, onEnd: () => void): ActiveEvent {
  const startedAt = monotonicNow();
  const remaining = [...event.scripts];
  const timer = setTimeout(expire, Math.max(0, event.deadline - startedAt));
  let isOver = false;

  function expire(): void {
    look();
    finish();
  }

  function finish(): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    for (const id of remaining) onRun(notRun(id, 'no time'));
    onEnd();
  }

  return {
    event,
    startedAt,
    remaining,
    times: undefined,
    report(run) {
      const at = remaining.indexOf(run.id);
      if (isOver || at < 0) return;
      remaining.splice(at, 1);
      onRun(run);
      if (remaining.length === 0) finish();
    },
    finish,
  };
}
