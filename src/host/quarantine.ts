/**
 * Scripts that keep timing out or take the sandbox process with them are set aside: for growing pauses, after each of which they get one
 * try, until one goes well or their file changes. So a bad script costs the others' events at most one fault per pause.
 */

/** `slow`: a timeout or its own memory limit; `crash`: its process ended, by it or by somebody else; `hang`: its process had to be ended. */
export type Fault = 'none' | 'slow' | 'crash' | 'hang';

export type Quarantine = {
  /** True when the script is to run now. */
  admits(name: string): boolean;
  /** Notes how a run ended. */
  record(name: string, fault: Fault, why: string): void;
  /** The script's file has changed, or is gone. */
  release(name: string): void;
  list(): Array<{ script: string; faults: number; why: string; untilMillis: number }>;
};

export type QuarantineEvents = {
  onSetAside(name: string, pauseMillis: number, faults: number, why: string): void;
  onRelease(name: string, why: 'a run went well' | 'its file changed'): void;
};

/** Faults in a row before the first pause. A crash may be somebody else's doing (the kernel's, when memory is short): twice is the script's. */
const patience: Record<Exclude<Fault, 'none'>, number> = { slow: 3, crash: 2, hang: 1 };
const firstPause = 5000;
const longestPause = 10 * 60_000;

type Entry = { faults: number; pauses: number; until: number; why: string };

/** `now` gives monotonic milliseconds. */
export function createQuarantine(now: () => number, events: QuarantineEvents): Quarantine {
  const entries = new Map<string, Entry>();

  return {
    admits(name) {
      const entry = entries.get(name);
      return !entry || entry.pauses === 0 || now() >= entry.until;
    },
    record(name, fault, why) {
      const entry = entries.get(name) ?? { faults: 0, pauses: 0, until: 0, why };
      if (fault === 'none') {
        if (entry.pauses > 0) events.onRelease(name, 'a run went well');
        entries.delete(name);
        return;
      }
      entry.faults += 1;
      entry.why = why;
      entries.set(name, entry);
      if (entry.pauses === 0 && entry.faults < patience[fault]) return;
      const pause = Math.min(longestPause, firstPause * 2 ** entry.pauses);
      entry.pauses += 1;
      entry.until = now() + pause;
      events.onSetAside(name, pause, entry.faults, why);
    },
    release(name) {
      if ((entries.get(name)?.pauses ?? 0) > 0) events.onRelease(name, 'its file changed');
      entries.delete(name);
    },
    list: () =>
      [...entries]
        .filter(([, entry]) => entry.pauses > 0)
        .map(([script, { faults, why, until }]) => ({ script, faults, why, untilMillis: Math.max(0, until - now()) })),
  };
}
