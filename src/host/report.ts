/** What one event came to, as data: the log, the demo and later the status read this. */
import type { LedgerEntry, Problem } from '../compose/index.ts';
import type { HandlerName, RunTimes, ScriptRun } from '../sandbox/index.ts';

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

/** Where the time between an event's first byte and the runtime's answer went, microseconds. */
export type Stages = RunTimes & {
  /** Reading the message, until the dispatch has it. */
  decode: number;
  /** For earlier events to be over. */
  wait: number;
  /** Choosing scripts, and what is known of the pod and container. */
  choose: number;
  /** Composing what the scripts returned; most of it goes on while later scripts run. */
  merge: number;
  /** Finishing, encoding and writing the answer. */
  reply: number;
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
  /** For events that scripts saw and that went through one sandbox process. */
  stages?: Stages;
  /** The reason with which validateContainerAdjustment refused. */
  rejected?: string;
};
