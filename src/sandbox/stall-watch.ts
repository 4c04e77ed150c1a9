/** Notices that a process makes no progress. */
import { monotonicNow } from './clock.ts';

export type StallWatch = {
  /** Winds the watch up anew: `onStalled` is called unless it is wound up or stopped within so many milliseconds. */
  wind(millis: number, onStalled: () => void): void;
  /** Nothing is to happen until it is wound up again. */
  stop(): void;
  /** Stops it, and takes its timer away. */
  end(): void;
};

/**
 * `look` reads what has come in by the time that the watch fires: it may be the host that was slow, and not the process.
 *
 * It is wound up with every sign of progress, and rarely fires. So its timer is left as it is when it fires early enough anyway, and looks then what time
 * it is.
 */
export function createStallWatch(look: () => void): StallWatch {
  let timer: NodeJS.Timeout | undefined;
  let firesAt = 0;
  let stalledAt = Number.POSITIVE_INFINITY;
  let stalled: () => void = () => {};
  let wound = 0;

  function arm(millis: number): void {
    clearTimeout(timer);
    firesAt = monotonicNow() + millis;
    timer = setTimeout(fire, millis);
  }

  function fire(): void {
    timer = undefined;
    if (stalledAt === Number.POSITIVE_INFINITY) return;
    const left = stalledAt - monotonicNow();
    if (left > 0) {
      arm(left);
      return;
    }
    const mark = wound;
    setImmediate(() => {
      if (mark === wound) look();
      if (mark === wound) stalled();
    });
  }

  function stop(): void {
    wound += 1;
    stalledAt = Number.POSITIVE_INFINITY;
  }

  return {
    wind(millis, onStalled) {
      wound += 1;
      stalled = onStalled;
      stalledAt = monotonicNow() + millis;
      if (timer === undefined || firesAt > stalledAt) arm(millis);
    },
    stop,
    end() {
      stop();
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
