/** What a test file has started, ended in the opposite order. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Keeps what is to be done when all is over. */
export type Cleanup = (end: () => void | Promise<void>) => void;

export function createCleanup(): { add: Cleanup; run(): Promise<void> } {
  const ends: Array<() => void | Promise<void>> = [];
  return {
    add: end => void ends.push(end),
    async run() {
      const faults: unknown[] = [];
      for (const end of ends.splice(0).reverse()) {
        try {
          await end();
        } catch (error) {
          faults.push(error);
        }
      }
      if (faults.length > 0) throw new AggregateError(faults, faults.map(String).join('; '));
    },
  };
}

export function temporaryFolder(cleanup: Cleanup): string {
  const path = mkdtempSync(join(tmpdir(), 'nri-upstream-'));
  cleanup(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
