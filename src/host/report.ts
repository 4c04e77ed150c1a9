/** What one event came to, as data: the log, the demo and later the status read this. */
import type { LedgerEntry, Problem } from '../compose/index.ts';
import type { HandlerName, ScriptRun } from '../sandbox/index.ts';

export type ScriptReport = {
  script: string;
  /** `refused`: what it returned was not taken; `set-aside`: it did not run, as it kept failing. */
  outcome: ScriptRun['outcome'] | 'refused' | 'set-aside';
  /** What the script itself took. */
  micros: number;
  /** Why it failed; and where, `file:line:column`, when that is known. */
  error?: string;
  where?: string;
  /** The error's stack in the author's files. */
  stack?: string;
  problems: Problem[];
};

export type EventReport = {
  handler: HandlerName;
  /** Absent for configure and synchronize. */
  pod?: { id: string; name: string; namespace: string };
  container?: { id: string; name: string };
  scripts: ScriptReport[];
  ledger: LedgerEntry[];
  /** From the event's arrival to its answer being ready. */
  micros: number;
  /** Milliseconds that were left then until the runtime would have given up; Infinity when it said nothing. */
  left: number;
  /** The answer had to leave before the scripts were done: the runtime got an empty one. */
  late: boolean;
  /** The reason with which validateContainerAdjustment refused. */
  rejected?: string;
};
