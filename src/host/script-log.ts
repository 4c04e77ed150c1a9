/** What scripts log: lines of the host's log that say which script, and on wish a file of the script's own. */
import { type DestinationStream, destination, type Logger } from 'pino';

export type ScriptLog = {
  write(line: ScriptLine): void;
  /** Closes files that none of these paths names any more. */
  keep(paths: ReadonlySet<string>): void;
  /** Opens the files anew, after they were rotated. */
  reopen(): void;
  close(): void;
};

export type ScriptLine = {
  script: string;
  /** Absolute path of the script's own log file, if its settings name one. */
  file: string | undefined;
  level: string;
  /** JSON of `{ message, fields }` from the sandbox. */
  text: string;
  /** Lines that were not taken, as there were too many in one event. */
  dropped: number;
  event: { handler: string; pod: string; container: string } | undefined;
};

type File = ReturnType<typeof destination> & DestinationStream;

const levels = ['debug', 'info', 'warn', 'error'] as const;

export function createScriptLog(logger: Logger): ScriptLog {
  const files = new Map<string, File | undefined>();

  function fileFor(path: string): File | undefined {
    if (!files.has(path)) {
      const file = destination({ dest: path, append: true, mkdir: true, sync: false, mode: 0o640 });
      files.set(path, file);
      file.on('error', (error: Error) => {
        logger.error(
          { code: 'SCRIPT_LOG_FILE', file: path },
          `${path} cannot be written, what the script logs is in this log alone: ${error.message}`,
        );
        files.set(path, undefined);
      });
    }
    return files.get(path);
  }

  return {
    write({ script, file, level, text, dropped, event }) {
      const about = { script, ...(event && { event: event.handler, pod: event.pod, container: event.container }) };
      if (dropped > 0) {
        logger.warn({ ...about, code: 'SCRIPT_LOG_FLOOD' }, `${script}: ${dropped} more log lines in one event were not taken`);
        return;
      }
      const { message, fields } = readLine(text);
      const known = levels.find(each => each === level) ?? 'info';
      logger[known]({ ...about, ...(fields !== undefined && { fields }) }, message);
      if (file) fileFor(file)?.write(`${JSON.stringify({ time: new Date().toISOString(), level: known, ...about, message, fields })}\n`);
    },
    keep(paths) {
      for (const [path, file] of files) {
        if (paths.has(path)) continue;
        file?.end();
        files.delete(path);
      }
    },
    reopen() {
      for (const file of files.values()) file?.reopen();
    },
    close() {
      this.keep(new Set());
    },
  };
}

/** A line that was cut, or is not what the prelude writes, is shown as it is. */
function readLine(text: string): { message: string; fields: unknown } {
  try {
    const line = JSON.parse(text) as { message?: unknown; fields?: unknown };
    return { message: String(line.message), fields: line.fields };
  } catch {
    return { message: `${text.slice(0, 2000)}… (cut)`, fields: undefined };
  }
}
