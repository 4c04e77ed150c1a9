/** Waiting for a condition that is looked at on every change. */
export type Watch = {
  changed(): void;
  /** Resolves to the first result that is not undefined. Rejects after the timeout, default 10 s, with these lines. */
  until<Result>(look: () => Result | undefined, timeoutMs: number | undefined, describe: () => string[]): Promise<Result>;
};

export function createWatch(): Watch {
  const looks = new Set<() => void>();
  return {
    changed() {
      for (const look of looks) look();
    },
    until(look, timeoutMs = 10_000, describe) {
      return new Promise((resolve, reject) => {
        const done = (settle: () => void) => {
          clearTimeout(timer);
          looks.delete(check);
          settle();
        };
        const check = () => {
          try {
            const result = look();
            if (result !== undefined) done(() => resolve(result));
          } catch (error) {
            done(() => reject(error));
          }
        };
        const timer = setTimeout(() => done(() => reject(new Error(`after ${timeoutMs} ms: ${describe().join('; ')}`))), timeoutMs);
        looks.add(check);
        check();
      });
    },
  };
}
