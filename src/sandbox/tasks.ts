/** What a sandbox process is asked to do: one task at a time, and what counts as its answer. */
import { monotonicNow } from './clock.ts';
import type { LoadResult, SandboxEvent } from './contract.ts';
import type { Frame } from './frame.ts';
import type { HandlerName } from './handler-names.ts';
import { layOut } from './layout.ts';
import type { Reply, Request, SandboxScript } from './protocol.ts';
import { type Loss, readRun, type ScriptRun } from './script-run.ts';
import { shareOf } from './share.ts';

/** How long past its own timeout a script may keep the process before the process is ended, milliseconds. */
const grace = 100;
/** What loading may take beside the script's own top level: a new isolate, compiling. */
const loadAllowance = 2000;
const prepareAllowance = 500;

export type Task = {
  request: Request;
  segments: readonly string[];
  /** Milliseconds without progress after which the process is ended. */
  allowance(): number;
  /** True when the task is done. */
  onReply(frame: Frame<Reply>): boolean;
  /** The script that runs now. */
  running(): string | undefined;
  onLost(loss: Loss): void;
};

/** What a task needs of the sandbox that it is for. */
export type TaskContext = {
  /** Milliseconds that a loaded script may take; 0 for one that is not loaded. */
  timeoutOf(id: string): number;
  send(request: Request): void;
  /** Ends the process, which has said something that it should not have. */
  refuse(reason: string): void;
};

export type LoadFailure = Exclude<LoadResult, { handlers: HandlerName[] }>;

/** `deadline`: of the event that waits for it, monotonic milliseconds; half of what is left then is for the others. */
export function loadTask(
  context: TaskContext,
  script: SandboxScript,
  deadline: number,
  onLoaded: (loaded: LoadResult) => void,
  onFailed: (failed: LoadFailure) => void,
): Task {
  const { code, libraries: _, ...rest } = script;
  return {
    request: { type: 'load', script: rest },
    segments: [code],
    allowance: () => Math.min(2 * script.timeout + loadAllowance, Math.max(grace, (deadline - monotonicNow()) / 2)),
    running: () => script.id,
    onReply({ header }) {
      if ((header.type !== 'loaded' && header.type !== 'failed') || header.id !== script.id) {
        context.refuse('it answered something else than it was asked');
        return false;
      }
      if (header.type === 'loaded') onLoaded({ handlers: header.handlers, micros: header.micros });
      else onFailed({ outcome: header.outcome, error: header.error });
      return true;
    },
    onLost: onFailed,
  };
}

/**
 * Makes contexts ready for the next event: of `ids`, and for each that is done of what `more` names then, so that the process never waits for
 * the host and an event that comes for few contexts. A failure shows when the event comes; `onLost` is told of a script that costs the process.
 */
export function prepareTask(
  context: TaskContext,
  ids: readonly string[],
  more: () => string | undefined,
  onLost: (id: string, loss: Loss) => void,
): Task {
  const asked = [...ids];
  let at = 0;
  return {
    request: { type: 'prepare', ids: [...ids] },
    segments: [],
    allowance: () => 2 * context.timeoutOf(asked[at] ?? '') + prepareAllowance,
    running: () => asked[at],
    onReply({ header }) {
      if ((header.type !== 'prepared' && header.type !== 'failed') || header.id !== asked[at]) {
        context.refuse('it answered something else than it was asked');
        return false;
      }
      at += 1;
      const next = more();
      if (next !== undefined) {
        asked.push(next);
        context.send({ type: 'prepare', ids: [next] });
      }
      return at === asked.length;
    },
    onLost: loss => onLost(asked[at]!, loss),
  };
}

/** Runs an event's scripts; `report` is called for each as its result comes, `onDone` with what the process says of all of it. */
export function eventTask(
  context: TaskContext,
  event: SandboxEvent,
  scripts: readonly string[],
  report: (run: ScriptRun) => void,
  onDone: (done: Extract<Reply, { type: 'done' }>) => void,
): Task {
  const { handler, deadline, compose } = event;
  const laidOut = Object.entries(event.input()).map(([name, value]) => layOut(name, value));
  let at = 0;
  return {
    request: { type: 'event', handler, scripts: [...scripts], deadline, compose, layouts: laidOut.map(({ layout }) => layout) },
    segments: laidOut.flatMap(({ texts }) => texts),
    allowance: () => shareOf(context.timeoutOf(scripts[at] ?? ''), deadline - monotonicNow(), scripts.length - at) + grace,
    running: () => scripts[at],
    onReply({ header, segments }) {
      if (header.type === 'done' && at === scripts.length) {
        onDone(header);
        return true;
      }
      if (header.type !== 'result' || header.id !== scripts[at]) {
        context.refuse('it answered for another script than the one that ran');
        return false;
      }
      at += 1;
      report(readRun(header, segments));
      return false;
    },
    onLost(loss) {
      const id = scripts[at];
      if (id !== undefined) report({ id, micros: 0, ...loss });
    },
  };
}
