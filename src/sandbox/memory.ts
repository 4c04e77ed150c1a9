/**
 * What a process occupies, seen from outside: V8's limits do not count buffers and WebAssembly memory, and a process that hangs in a builtin
 * tells nothing.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { monotonicNow } from './clock.ts';

type MemoryGauge = {
  /** Bytes in memory and in swap (proc_pid_status(5): VmRSS, VmSwap); undefined when that cannot be known. */
  read(): number | undefined;
  close(): void;
};

/** Keeps the file open: it stays this process' own, whoever gets the id after it. Where there is no /proc nothing is known. */
function openMemoryGauge(pid: number | undefined): MemoryGauge {
  const text = Buffer.allocUnsafe(4096);
  let file: number | undefined;
  try {
    if (pid !== undefined) file = openSync(`/proc/${pid}/status`, 'r');
  } catch {
    // No /proc, or gone already.
  }
  return {
    read() {
      if (file === undefined) return undefined;
      try {
        return occupied(text.toString('latin1', 0, readSync(file, text, 0, text.length, 0)));
      } catch {
        return undefined;
      }
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** How often a process' memory is looked at while it works, milliseconds. */
const interval = 25;
const mebibyte = 1 << 20;

/** Looks at a process' memory while it works; wakes up for nothing while it does not. */
export type MemoryWatch = {
  open(pid: number | undefined): void;
  /** It works from now on. */
  begin(): void;
  /** A piece of work is done: one that was shorter than the interval is looked at now. */
  rest(): void;
  /** It does not work any more. */
  pause(): void;
  /** Bytes that it occupies; 0 when that is not known. */
  bytes(): number;
  close(): void;
};

/** `before` is called before it looks at a process that works; `onOver` is told what the process occupies when that is more than `ceiling`, bytes. */
export function createMemoryWatch(ceiling: () => number, before: () => void, onOver: (reason: string) => void): MemoryWatch {
  let gauge: MemoryGauge | undefined;
  let timer: NodeJS.Timeout | undefined;
  let looked = 0;

  function look(): void {
    looked = monotonicNow();
    const bytes = gauge?.read();
    const most = ceiling();
    if (bytes === undefined || bytes <= most) return;
    onOver(`it occupied ${Math.round(bytes / mebibyte)} MiB, at most ${Math.round(most / mebibyte)} MiB are its own`);
  }

  function pause(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    open(pid) {
      gauge = openMemoryGauge(pid);
    },
    begin() {
      timer ??= setInterval(() => {
        before();
        look();
      }, interval);
    },
    rest() {
      if (monotonicNow() - looked > interval) look();
    },
    pause,
    bytes: () => gauge?.read() ?? 0,
    close() {
      pause();
      gauge?.close();
      gauge = undefined;
    },
  };
}

function occupied(status: string): number | undefined {
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
  const resident = kib('VmRSS');
  return Number.isNaN(resident) ? undefined : (resident + (kib('VmSwap') || 0)) * 1024;
}
