/**
 * How long what has just been read may have waited to be read. A request tells how long its caller waits (fact B5), but not since when: while this
 * thread stood still, by work of its own or for want of a processor, that time ran.
 */
export type StallWatch = {
  /** Milliseconds, rather too many than too few, that the bytes which are handled now can have waited; 0 when the thread was never held up. */
  waited(): number;
  stop(): void;
};

export function createStallWatch(intervalMs = 100): StallWatch {
  let beatAt = performance.now();
  let lateness = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    lateness = now - beatAt - intervalMs;
    beatAt = now;
  }, intervalMs);
  timer.unref();
  return {
    // After a stall the timer may run before what has arrived is read, or after it.
    waited: () => Math.max(0, lateness, performance.now() - beatAt - intervalMs),
    stop: () => clearInterval(timer),
  };
}
