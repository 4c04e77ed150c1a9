/**
 * What scripts keep between events (`nri.state`): a small record of JSON values per script, in a file of its own. A run's changes are
 * taken together, when the run went well; files are replaced atomically.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { maxStateLength } from '../sandbox/index.ts';

export type StateStore = {
  /** JSON text of a script's record. */
  text(script: string): string;
  /** Takes a run's changes: null removes a key. False when the record would pass its quota: then nothing is changed. */
  change(script: string, changes: Record<string, unknown>): boolean;
  /** Writes what is not written yet. */
  flush(): void;
};

/** How long changes are gathered before they are written, milliseconds. */
const gather = 100;

/** `directory` is created when the first script keeps something. */
export function createStateStore(directory: string, logger: Logger): StateStore {
  const records = new Map<string, Record<string, unknown>>();
  const unwritten = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let complained = false;

  const fileOf = (script: string) => join(directory, `${script}.json`);

  function recordOf(script: string): Record<string, unknown> {
    let record = records.get(script);
    if (!record) {
      record = read(script);
      records.set(script, record);
    }
    return record;
  }

  function read(script: string): Record<string, unknown> {
    const path = fileOf(script);
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined) return {};
    try {
      if (size > 8 * maxStateLength) throw new Error(`it has ${size} bytes`);
      const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
      if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('it is no record');
      return value as Record<string, unknown>;
    } catch (error) {
      const aside = `${path}.corrupt`;
      logger.error(
        { code: 'STATE_CORRUPT', script },
        `${path} cannot be read, ${script} begins with nothing; the file is kept as ${aside}: ${(error as Error).message}`,
      );
      try {
        renameSync(path, aside);
      } catch {
        // It stays where it is until it is overwritten.
      }
      return {};
    }
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const script of unwritten) {
      try {
        write(script);
      } catch (error) {
        if (!complained)
          logger.warn(
            { code: 'STATE_NOT_KEPT' },
            `what scripts keep is lost at the next start, ${directory} cannot be written: ${(error as Error).message}`,
          );
        complained = true;
      }
    }
    unwritten.clear();
  }

  function write(script: string): void {
    const record = recordOf(script);
    const path = fileOf(script);
    if (Object.keys(record).length === 0) {
      rmSync(path, { force: true });
      return;
    }
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = openSync(`${path}.new`, 'w', 0o600);
    try {
      writeSync(file, JSON.stringify(record));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${path}.new`, path);
  }

  return {
    text: script => JSON.stringify(recordOf(script)),
    change(script, changes) {
      const next = new Map(Object.entries(recordOf(script)));
      for (const [key, value] of Object.entries(changes)) {
        if (value === null) next.delete(key);
        else next.set(key, value);
      }
      const record = Object.fromEntries(next);
      if (JSON.stringify(record).length > maxStateLength) return false;
      records.set(script, record);
      unwritten.add(script);
      timer ??= setTimeout(flush, gather);
      timer.unref();
      return true;
    },
    flush,
  };
}
