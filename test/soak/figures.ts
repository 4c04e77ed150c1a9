/** What a process occupies, from /proc (proc(5)), and whether a figure stays flat. */
import { readdirSync, readFileSync } from 'node:fs';

export type Figures = { rss: number; fds: number; threads: number };

/** Undefined when there is no such process any more. */
export function figuresOf(pid: number): Figures | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const amount = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
    return { rss: amount('VmRSS') * 1024, fds: readdirSync(`/proc/${pid}/fd`).length, threads: amount('Threads') };
  } catch {
    return undefined;
  }
}

/** All processes that this one started, and those that they started. */
export function descendants(pid: number): number[] {
  try {
    const direct = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    const others = readdirSync(`/proc/${pid}/task`)
      .filter(task => task !== String(pid))
      .flatMap(task => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number));
    return [...direct, ...others].flatMap(child => [child, ...descendants(child)]);
  } catch {
    return [];
  }
}

/** How much more a figure may be in the end: a share of what it was, and an amount. */
export type Tolerance = { share: number; amount: number };

export type Verdict = { isFlat: boolean; before: number; after: number };

/**
 * Compares the medians of the second and the last quarter: the first is for warming up. A figure that falls is flat. NaNs are measurements that
 * could not be taken.
 */
export function judge(series: readonly number[], { share, amount }: Tolerance): Verdict {
  const taken = series.filter(value => !Number.isNaN(value));
  const quarter = Math.floor(taken.length / 4);
  const before = median(taken.slice(quarter, 2 * quarter));
  const after = median(taken.slice(taken.length - quarter));
  return { isFlat: after <= before * (1 + share) + amount, before, after };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
