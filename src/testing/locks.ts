/** The two locks that a runtime takes around NRI (facts C14, D1, D7). */

export type Lock = {
  /** Runs the work when all earlier work is done. */
  run<Result>(work: () => Result | Promise<Result>): Promise<Result>;
};

/** One at a time, in the order of asking. Not re-entrant. */
export function createLock(): Lock {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run<Result>(work: () => Result | Promise<Result>) {
      const result = last.then(work);
      last = result.then(ignore, ignore);
      return result;
    },
  };
}

export type Gate = {
  /** Runs together with other passing work, but never with exclusive work; waits for exclusive work that waits already. */
  pass<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Waits for what passes now, keeps back what comes later, and runs alone. */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result>;
};

/** Go's RWMutex. */
export function createGate(): Gate {
  const writers = createLock();
  const passing = new Set<Promise<unknown>>();
  let exclusive: Promise<unknown> | undefined;

  async function track<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = work();
    const settled: Promise<void> = result.then(ignore, ignore).then(() => void passing.delete(settled));
    passing.add(settled);
    return result;
  }

  return {
    async pass(work) {
      while (exclusive) await exclusive;
      return track(work);
    },
    exclusive<Result>(work: () => Promise<Result>) {
      const result = writers.run(async () => {
        await Promise.all(passing);
        return work();
      });
      const settled: Promise<void> = result.then(ignore, ignore).then(() => {
        if (exclusive === settled) exclusive = undefined;
      });
      exclusive = settled;
      return result;
    },
  };
}

function ignore(): void {}
