/** A plugin's log, JSON lines, as it grows. */
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { eventually } from '../../support/eventually.ts';

/** One line: pino's `level` and `msg`, and whatever fields it has. What is not JSON has the level `raw`. */
export type LogLine = { level: string; msg: string; [field: string]: unknown };

export type PluginLog = {
  /** All lines so far. */
  lines(): LogLine[];
  /** The first line that fits, waited for; `from` skips that many lines. Fails with the last lines when none comes. */
  waitFor(fits: (line: LogLine) => boolean, from?: number, millis?: number): Promise<LogLine>;
};

/** The lines that a process writes to a pipe. */
export function logFromStream(stream: Readable): PluginLog {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return pluginLog(() => text);
}

/** The lines of a file, which need not exist yet. */
export function logFromFile(path: string): PluginLog {
  return pluginLog(() => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  });
}

function pluginLog(text: () => string): PluginLog {
  const lines = () => text().split('\n').slice(0, -1).map(parseLine);
  return {
    lines,
    async waitFor(fits, from = 0, millis = 15_000) {
      let found: LogLine | undefined;
      const look = () => {
        const all = lines();
        found = all.slice(from).find(fits);
        return all.slice(-20);
      };
      await eventually(look, () => found !== undefined, millis);
      return found!;
    },
  };
}

function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { level: 'raw', msg: text };
  }
}
