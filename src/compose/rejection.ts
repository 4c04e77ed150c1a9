import { checkText, unknownField } from './check.ts';
import { createReport, isFull, type Problem, problemsOf, refuse } from './problems.ts';
import { isRecord, text } from './value-types.ts';
import { show } from './wording.ts';

/** The reason ends up in an event of the pod; 1024 characters of it are kept there. */
const reason = text('a reason that is not empty', 4096, /\S/);

/** Validates what a validateContainerAdjustment handler returned. `reject` is absent when there is a problem. Never throws. */
export function validateRejection(result: unknown): { reject?: string; problems: Problem[] } {
  if (result === undefined || result === null) return { problems: [] };
  const report = createReport();
  let reject: string | undefined;
  if (!isRecord(result)) refuse(report, 'WRONG_TYPE', 'result', `expected an object or nothing, got ${show(result)}`);
  else {
    for (const name of Object.keys(result)) {
      if (name !== 'reject') unknownField(name, ['reject'], '', report);
      else if (result[name] !== undefined) reject = checkText(reason, result[name], 'reject', report);
      if (isFull(report)) break;
    }
  }
  return { ...(reject !== undefined && !report.refused && { reject }), problems: problemsOf(report) };
}
