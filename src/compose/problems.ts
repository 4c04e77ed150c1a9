/** What is wrong with a script's result, as data. */

/**
 * Stable codes, never reused.
 *
 * Refuse the whole result: WRONG_TYPE, OUT_OF_RANGE, UNKNOWN_FIELD, MISSING_FIELD, BAD_VALUE, DUPLICATE_KEY, REMOVAL_MARK, TOO_LARGE,
 * OWN_CONTAINER. Drop one field: NOT_ALLOWED, NRI_TOO_OLD, NOT_REMOVABLE, NOT_SETTABLE. Warn only: NOT_APPLIED, PLUGIN_VALUES_ONLY,
 * RLIMIT_REPEATED, UNKNOWN_CONTAINER.
 */
export type ProblemCode =
  | 'WRONG_TYPE'
  | 'OUT_OF_RANGE'
  | 'UNKNOWN_FIELD'
  | 'MISSING_FIELD'
  | 'BAD_VALUE'
  | 'DUPLICATE_KEY'
  | 'REMOVAL_MARK'
  | 'TOO_LARGE'
  | 'OWN_CONTAINER'
  | 'NOT_ALLOWED'
  | 'NRI_TOO_OLD'
  | 'NOT_REMOVABLE'
  | 'NOT_SETTABLE'
  | 'NOT_APPLIED'
  | 'PLUGIN_VALUES_ONLY'
  | 'RLIMIT_REPEATED'
  | 'UNKNOWN_CONTAINER';

/** `refused`: the whole result; `dropped`: this field alone; `warned`: nothing, but the runtime will not do what is asked. */
export type Effect = 'refused' | 'dropped' | 'warned';

export type Problem = {
  code: ProblemCode;
  effect: Effect;
  /** Where in the result: `adjust.linux.resources.cpu.quota`, `update[0].containerId`. */
  path: string;
  /** One sentence that begins with the path and says what to change. */
  message: string;
};

/** How many problems of one result are told. */
export const maxProblems = 10;

/** Collects the problems of one result, and its size. */
export type Report = {
  readonly problems: Problem[];
  /** How many problems were left out because {@link maxProblems} were there already. */
  omitted: number;
  /** Whether the whole result is refused. */
  refused: boolean;
  /** Bytes of text and of fixed-size values, approximately what the result takes on the wire. */
  bytes: number;
};

export function createReport(): Report {
  return { problems: [], omitted: 0, refused: false, bytes: 0 };
}

/** Refuses the whole result. */
export function refuse(report: Report, code: ProblemCode, path: string, text: string): void {
  report.refused = true;
  add(report, { code, effect: 'refused', path, message: `${path}: ${text}` });
}

/** Drops a field or warns about it; of one code and path only the first counts. */
export function tell(report: Report, code: ProblemCode, effect: 'dropped' | 'warned', path: string, text: string): void {
  if (report.problems.some(told => told.code === code && told.path === path)) return;
  add(report, { code, effect, path, message: `${path}: ${text}` });
}

/** Whether reading on would tell nothing new: the result is refused and as many problems are told as fit. */
export function isFull(report: Report): boolean {
  return report.refused && report.problems.length >= maxProblems;
}

/** The problems; the last one says how many were left out. */
export function problemsOf(report: Report): Problem[] {
  const { problems, omitted } = report;
  if (omitted === 0) return problems;
  const last = problems[problems.length - 1]!;
  return [...problems.slice(0, -1), { ...last, message: `${last.message} (${omitted} more left out)` }];
}

function add(report: Report, problem: Problem): void {
  if (report.problems.length < maxProblems) report.problems.push(problem);
  else report.omitted++;
}
