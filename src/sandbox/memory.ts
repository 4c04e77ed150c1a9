/**
 * What a process occupies, seen from outside: V8's limits do not count buffers and WebAssembly memory, and a process that hangs in a builtin
 * tells nothing.
 */
import { closeSync, openSync, readSync } from 'node:fs';

export type MemoryGauge = {
  /** Bytes in memory and in swap (proc_pid_status(5): VmRSS, VmSwap); undefined when that cannot be known. */
  read(): number | undefined;
  close(): void;
};

/** Keeps the file open: it stays this process' own, whoever gets the id after it. Where there is no /proc nothing is known. */
export function openMemoryGauge(pid: number | undefined): MemoryGauge {
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

function occupied(status: string): number | undefined {
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
  const resident = kib('VmRSS');
  return Number.isNaN(resident) ? undefined : (resident + (kib('VmSwap') || 0)) * 1024;
}
