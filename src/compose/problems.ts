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
