/** Why a script, its settings or the directory cannot be used as it is. */

/** Stable codes; a code is never given another meaning. */
export type ProblemCode =
  | 'SCRIPTS_DIRECTORY_MISSING'
  | 'SCRIPTS_DIRECTORY_UNREADABLE'
  | 'SCRIPTS_UNSAFE_PERMISSIONS'
  | 'SCRIPT_UNREADABLE'
  | 'SCRIPT_SYNTAX'
  | 'SCRIPT_IMPORT'
  | 'SCRIPT_TOO_LARGE'
  | 'SCRIPT_LOAD_FAILED'
  | 'SETTINGS_UNREADABLE'
  | 'SETTINGS_SYNTAX'
  | 'SETTINGS_INVALID'
  | 'SETTINGS_WITHOUT_SCRIPT';

/** A problem in words for the author: what is wrong, where, and what to change. */
export class ScriptProblem extends Error {
  readonly code: ProblemCode;
  /** `10-name.ts:3:7` where a place is known, else a file or directory. */
  readonly where: string;

  constructor(code: ProblemCode, where: string, message: string) {
    super(message);
    this.name = 'ScriptProblem';
    this.code = code;
    this.where = where;
  }
}
