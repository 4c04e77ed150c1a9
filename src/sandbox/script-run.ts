/** How one run of a script ended, as the host tells it. */
import { readScriptError } from './check-reply.ts';
import type { Outcome, Reply, ScriptError } from './protocol.ts';
import { type Answer, decodeResult } from './values.ts';

export type ScriptRun =
  | { id: string; outcome: 'ok'; micros: number; result: unknown; updates: unknown[]; state?: Record<string, unknown> }
  | {
      id: string;
      /** `killed`: it hung or crashed the process, or went with it and is not back yet. `memory`: its own limit, or the process' ceiling. */
      outcome: Exclude<Outcome, 'ok'> | 'killed';
      micros: number;
      error: ScriptError;
      /** It took the process with it: the host had to end it, or it crashed (or somebody else ended it). */
      costProcess?: CostProcess;
    };

export type CostProcess = 'ended' | 'crashed';

/** Why a process ended in the middle of a task. */
export type Loss = { outcome: 'killed' | 'memory'; error: ScriptError; costProcess: CostProcess };

export function lossOf(outcome: Loss['outcome'], reason: string, costProcess: CostProcess): Loss {
  return { outcome, error: errorOf(`the sandbox process was lost while it ran: ${reason}`), costProcess };
}

/** A run that did not take place. */
export function notRun(id: string, why: 'no time' | 'not loaded' | 'not loaded again'): ScriptRun {
  const micros = 0;
  if (why === 'no time') return { id, outcome: 'budget', micros, error: noTime };
  if (why === 'not loaded') return { id, outcome: 'error', micros, error: errorOf('it is not loaded') };
  return { id, outcome: 'killed', micros, error: errorOf('it is not loaded again yet: the sandbox process was lost while it was') };
}

/** Reads the child's result. */
export function readRun(header: Extract<Reply, { type: 'result' }>, segments: readonly string[]): ScriptRun {
  const { id, outcome, micros } = header;
  if (outcome !== 'ok') return { id, outcome, micros, error: header.error ?? (outcome === 'budget' ? noTime : nothingSaid) };
  const answer = readAnswer(segments[0] ?? '');
  if (answer.error !== undefined) return { id, outcome: 'error', micros, error: readScriptError(answer.error) };
  const { state } = answer;
  const changed = state !== null && typeof state === 'object' && !Array.isArray(state);
  return {
    id,
    outcome,
    micros,
    result: answer.result,
    updates: Array.isArray(answer.updates) ? answer.updates : [],
    ...(changed && { state: state as Record<string, unknown> }),
  };
}

/** The text comes from the script's own realm: it may be anything. */
function readAnswer(text: string): Answer {
  try {
    return decodeResult(text);
  } catch {
    return { error: errorOf('what it returned cannot be read') };
  }
}

function errorOf(message: string): ScriptError {
  return { name: '', message, stack: '' };
}

const noTime = errorOf('no time was left in the event');
const nothingSaid = errorOf('the sandbox gave no reason');
