/** How long to wait before the next attempt. */
export type Backoff = {
  /**
   * Milliseconds: doubles from attempt to attempt up to the maximum, and is then shortened by up to a half at random, so that nodes do
   * not keep step.
   */
  next(): number;
  /** The next wait is the first again. */
  reset(): void;
};

export function createBackoff(initialMs: number, maxMs: number, random: () => number = Math.random): Backoff {
  let delay = initialMs;
  return {
    next() {
      const current = delay;
      delay = Math.min(delay * 2, maxMs);
      return current * (1 - random() / 2);
    },
    reset() {
      delay = initialMs;
    },
  };
}
