/** One operation of the demo in words: per event and script what it changed, or how and where it failed, and what it took. */
import { type EventReport, formatLedgerEntry, type ScriptReport } from '../host/index.ts';

const ways: Partial<Record<ScriptReport['outcome'], string>> = {
  error: 'threw',
  timeout: 'was stopped at its timeout',
  memory: 'was stopped, as it ate memory',
  killed: 'took the sandbox process with it',
  pending: 'waited for nothing',
  budget: 'did not run, no time was left',
  refused: 'returned something unusable',
  'set-aside': 'did not run: set aside, as it keeps failing',
};

/** The text for one operation; `millis` is what the runtime waited for it. */
export function demoReport(operation: string, reports: readonly EventReport[], millis: number, error: string | undefined): string {
  const outcome = error === undefined ? `done after ${millis.toFixed(1)} ms` : `FAILED after ${millis.toFixed(1)} ms: ${error}`;
  const lines = [`\n${operation}: ${outcome}`];
  for (const report of reports) {
    lines.push(`  ${report.handler} ${duration(report.micros)}`);
    for (const script of report.scripts) lines.push(...scriptLines(script, report).map(line => `    ${line}`));
  }
  return lines.join('\n');
}

function scriptLines(script: ScriptReport, { ledger }: EventReport): string[] {
  const head = `${script.script.padEnd(22)} ${duration(script.micros)}`;
  const way = ways[script.outcome];
  if (way !== undefined) return [`${head}  ${way}${script.error ? ` at ${script.where ?? script.script}: ${script.error}` : ''}`];
  const changes = ledger
    .filter(entry => entry.script === script.script)
    .map(entry => formatLedgerEntry(entry).replace(` by ${script.script}`, ''));
  const remarks = script.problems.map(problem => problem.message);
  const [first = 'no change', ...rest] = [...changes, ...remarks];
  return [`${head}  ${first}`, ...rest.map(line => `${' '.repeat(head.length)}  ${line}`)];
}

function duration(micros: number): string {
  return `${(micros / 1000).toFixed(1)} ms`.padStart(9);
}
