/** What a sandbox process may occupy. */
import type { SandboxScript } from './protocol.ts';

const mebibyte = 1 << 20;
/** What a script's own limit is by default: more than that is added to what the process may have. */
const ordinaryScriptMemory = 64 * mebibyte;

/** Bytes: `base`, and for each script that the process holds `perScript` and what its own limit is above 64 MiB. */
export type MemoryCeiling = { base: number; perScript: number };

export const ordinaryCeiling: MemoryCeiling = { base: 384 * mebibyte, perScript: 16 * mebibyte };

/** Bytes that a process with these scripts may occupy. */
export function ceilingFor({ base, perScript }: MemoryCeiling, scripts: Iterable<Pick<SandboxScript, 'memory'>>): number {
  let bytes = base;
  for (const { memory } of scripts) bytes += perScript + Math.max(0, memory - ordinaryScriptMemory);
  return bytes;
}
