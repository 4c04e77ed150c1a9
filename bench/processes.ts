/** What processes have used and occupy, by proc(5). */
import { readdirSync, readFileSync, statSync } from 'node:fs';

/** These processes and all that descend from them. */
export function withDescendants(pids: readonly number[]): number[] {
  return pids.flatMap(pid => [pid, ...withDescendants(children(pid))]);
}

function children(pid: number): number[] {
  const text = readdirSync(`/proc/${pid}/task`).map(thread => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'));
  return text.join(' ').split(' ').filter(Boolean).map(Number);
}

/** User and system time of all their threads so far, in microseconds; a process counts in steps of 10 ms. */
export function cpuMicros(pids: readonly number[]): number {
  const ticks = pids.map(pid => {
    // utime and stime are the 14th and 15th field; the second is a name in parentheses that may contain anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return sum(ticks) * 10_000;
}

/** Sums in MiB (smaps_rollup). */
export function memory(pids: readonly number[]): { rss: number; pss: number } {
  const texts = pids.map(pid => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  const mebibytes = (key: string) => sum(texts.map(text => Number(new RegExp(`^${key}: +(\\d+) kB`, 'm').exec(text)![1]))) / 1024;
  return { rss: mebibytes('Rss'), pss: mebibytes('Pss') };
}

/** How many processes other than these run the same program as the first of them: its pages are then shared with strangers. */
export function strangersWithSameProgram(pids: readonly number[]): number {
  const program = executable(pids[0]!);
  const all = readdirSync('/proc').filter(name => /^\d+$/.test(name));
  return all.filter(name => !pids.includes(Number(name)) && executable(Number(name)) === program).length;
}

/** Identifies the file that the process runs; undefined when it runs none, or has ended. */
function executable(pid: number): string | undefined {
  try {
    const { dev, ino } = statSync(`/proc/${pid}/exe`);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
