/** A log line for eyes: time, level, message, and beneath it what a reader needs most of the rest. */

const colours: Record<string, string> = { debug: '\x1b[90m', info: '\x1b[32m', warn: '\x1b[33m', error: '\x1b[31m' };
const plain = '\x1b[0m';
const faint = '\x1b[90m';
/** Said in the message already, or only for machines. */
const hidden = new Set(['time', 'level', 'msg', 'podId', 'containerId', 'event', 'pod', 'container', 'where', 'stack']);

/** Turns one JSON line into readable text; what is no JSON stays as it is. */
export function prettyLine(line: string): string {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(line);
  } catch {
    return line;
  }
  const { time, level, msg } = record as { time: string; level: string; msg: string };
  const rest = Object.entries(record).filter(([key]) => !hidden.has(key));
  const details = rest.map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' ');
  return `${faint}${time.slice(11, 23)}${plain} ${colours[level] ?? ''}${level.padEnd(5)}${plain} ${msg}${details && ` ${faint}${details.slice(0, 2000)}${plain}`}\n`;
}
