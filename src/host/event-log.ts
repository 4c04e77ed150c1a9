/** Reports of events as log lines: one per event, and one per thing that somebody should look at. */
import type { Logger } from 'pino';
import { formatLedgerEntry } from '../compose/index.ts';
import type { Inventory } from './inventory.ts';
import type { EventReport, ScriptReport } from './report.ts';

const missedNamesMax = 50;

/** Logs an event: at info level when scripts ran, else debug. Failures and problems follow as warnings of their own. */
export function logEvent(logger: Logger, report: EventReport): void {
  const subject = subjectOf(report);
  const fields = {
    event: report.handler,
    ...subject,
    micros: report.micros,
    scripts: report.scripts.map(({ script, outcome, micros }) => ({ script, outcome, micros })),
    ...(report.ledger.length > 0 && { changes: report.ledger.map(formatLedgerEntry) }),
    ...(report.stages && logger.isLevelEnabled('debug') && { stages: report.stages }),
    ...(report.rejected !== undefined && { rejected: report.rejected }),
  };
  logger[report.scripts.length > 0 ? 'info' : 'debug'](fields, summary(report));
  for (const script of report.scripts) logScript(logger, report, script);
  if (report.late)
    logger.error(
      { event: report.handler, ...subject, code: 'ANSWERED_WITHOUT_SCRIPTS' },
      'the answer left without what the scripts returned: no time was left',
    );
}

/** Logs which containers were created while there was no connection, so that no script has seen their creation. */
export function logMissed(logger: Logger, { pod, container }: Pick<Inventory, 'pod' | 'container'>, missed: readonly string[]): void {
  const names = missed.slice(0, missedNamesMax).map(id => {
    const { name = id, podSandboxId = '' } = container(id) ?? {};
    const of = pod(podSandboxId);
    return of ? `${of.namespace}/${of.name}/${name}` : name;
  });
  if (missed.length > names.length) names.push(`${missed.length - names.length} more`);
  const count = missed.length === 1 ? 'a container was' : `${missed.length} containers were`;
  logger.info({ missed }, `${count} created while there was no connection: ${names.join(', ')}`);
}

function logScript(logger: Logger, report: EventReport, script: ScriptReport): void {
  const about = { event: report.handler, ...subjectOf(report), script: script.script };
  if (script.error !== undefined) {
    const code = `SCRIPT_${script.outcome.toUpperCase()}`;
    const where = script.where ?? script.script;
    logger.warn({ ...about, code, where, ...(script.stack && { stack: script.stack }) }, `${where}: ${script.error}`);
  }
  for (const { code, effect, message } of script.problems)
    logger.warn({ ...about, code: `RESULT_${code}`, effect }, `${script.script}: ${message}`);
}

function subjectOf(report: EventReport): { pod?: string; podId?: string; container?: string; containerId?: string } {
  const { pod, container } = report;
  return {
    ...(pod && { pod: `${pod.namespace}/${pod.name}`, podId: pod.id }),
    ...(container && { container: container.name, containerId: container.id }),
  };
}

function summary({ handler, pod, container, scripts, ledger }: EventReport): string {
  const subject = [pod && `${pod.namespace}/${pod.name}`, container?.name].filter(Boolean).join('/');
  const failed = scripts.filter(script => script.outcome !== 'ok').length;
  const counts = [`${scripts.length} script${scripts.length === 1 ? '' : 's'}`];
  if (failed > 0) counts.push(`${failed} failed`);
  if (ledger.length > 0) counts.push(`${ledger.length} change${ledger.length === 1 ? '' : 's'}`);
  return `${handler}${subject && ` ${subject}`}: ${counts.join(', ')}`;
}
