/** Where the log goes: JSON lines into a file or onto stderr, readable lines onto a terminal. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import pino, { type DestinationStream, type Logger } from 'pino';
import { prettyLine } from './pretty.ts';

export type Log = {
  logger: Logger;
  /** Gives the lines that were written so far, and all that come, their destination. */
  open(file: string | undefined, level: string): void;
  /** Opens the file anew, after it was rotated. */
  reopen(): void;
  flush(): void;
};

/** How long a line may wait for others to be written with it, milliseconds. */
const flushInterval = 100;
/** Lines that are kept until the destination is known. */
const maxHeld = 1000;

/** A log that holds its lines until {@link Log.open}: a launched plugin learns only from the runtime where to write. */
export function createLog(): Log {
  let held: string[] | undefined = [];
  let destination: DestinationStream | undefined;
  let file: ReturnType<typeof pino.destination> | undefined;
  const stream: DestinationStream = {
    write(line) {
      if (destination) destination.write(line);
      else if (held && held.length < maxHeld) held.push(line);
    },
  };
  const logger = pino(
    { level: 'debug', base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: level => ({ level }) } },
    stream,
  );

  const stderr: DestinationStream = { write: line => process.stderr.write(line) };

  function openFile(path: string): DestinationStream {
    try {
      // What cannot be opened would throw when the process exits.
      mkdirSync(dirname(path), { recursive: true });
      closeSync(openSync(path, 'a', 0o640));
    } catch (error) {
      return fallBack(path, error as Error);
    }
    const opened = pino.destination({ dest: path, append: true, sync: false, mode: 0o640, minLength: 8 << 10 });
    setInterval(() => opened === file && opened.flush(), flushInterval).unref();
    opened.on('error', (error: Error) => fallBack(path, error));
    file = opened;
    return opened;
  }

  function fallBack(path: string, error: Error): DestinationStream {
    file = undefined;
    destination = stderr;
    logger.error({ code: 'LOG_FILE' }, `${path} cannot be written, the log goes to stderr: ${error.message}`);
    return stderr;
  }

  return {
    logger,
    open(path, level) {
      if (path !== undefined) destination = openFile(path);
      else if (process.stderr.isTTY) destination = { write: line => process.stderr.write(prettyLine(line)) };
      else destination = stderr;
      logger.level = level;
      const least = pino.levels.values[level] ?? 0;
      for (const line of held ?? []) if ((pino.levels.values[JSON.parse(line).level] ?? 0) >= least) destination.write(line);
      held = undefined;
    },
    reopen: () => file?.reopen(),
    flush() {
      try {
        file?.flushSync();
      } catch {
        // The file was never opened.
      }
    },
  };
}
