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
  /** Called once, when the request has been sent. */
  begun?(): void;
  /** There is something more urgent. */
  interrupt?(): void;
};

/** What a task needs of the sandbox that it is for. */
export type TaskContext = {
  /** Milliseconds that a loaded script may take; 0 for one that is not loaded. */
  timeoutOf(id: string): number;
  send(request: Request, segments: readonly string[]): void;
  knock(): void;
  /** Ends the process, which has said something that it should not have. */
  refuse(reason: string): void;
};

export type LoadFailure = Exclude<LoadResult, { handlers: HandlerName[] }>;

/** A script to be loaded, and what becomes of it. */
export type Load = {
  script: SandboxScript;
  onLoaded(loaded: LoadResult): void;
  onFailed(failed: LoadFailure): void;
  /** The process was asked for it and is lost before it came to it. */
  onLeft?(): void;
};

/**
 * Loads a script, and what `more` names then, of which one is always asked for ahead: so the process does not wait for the host between two.
 * `deadline`: of the event that waits for it, monotonic milliseconds; half of what is left then is for the others.
 */
export function loadTask(context: TaskContext, first: Load, deadline: number, more: () => Load | undefined = () => undefined): Task {
  const loads = [first];
  let at = 0;

  function ask(): void {
    const next = more();
    if (!next) return;
    loads.push(next);
    context.send(...loadRequest(next));
  }

  const [request, segments] = loadRequest(first);
  return {
    request,
    segments,
    begun: ask,
    allowance() {
      const { timeout } = loads[at]!.script;
      return Math.min(2 * timeout + loadAllowance, Math.max(grace, (deadline - monotonicNow()) / 2));
    },
    running: () => loads[at]?.script.id,
    onReply({ header }) {
      const load = loads[at];
      if ((header.type !== 'loaded' && header.type !== 'failed') || header.id !== load?.script.id) {
        context.refuse('it answered something else than it was asked');
        return false;
      }
      at += 1;
      ask();
      if (header.type === 'loaded') load.onLoaded({ handlers: header.handlers, micros: header.micros });
      else load.onFailed({ outcome: header.outcome, error: header.error });
      return at === loads.length;
    },
    onLost(loss) {
      const [lost, ...left] = loads.slice(at);
      for (const load of left) load.onLeft?.();
      lost?.onFailed(loss);
    },
  };
}

function loadRequest({ script }: Load): [request: Request, segments: readonly string[]] {
  const { code, libraries: _, ...rest } = script;
  return [{ type: 'load', script: rest }, [code]];
}

/**
 * Makes contexts ready for the next event. A failure shows when the event comes; `onLost` is told of a script that costs the process, `onLeft` of those
 * that there was no time for.
 */
export function prepareTask(
  context: TaskContext,
  ids: readonly string[],
  onLeft: (ids: readonly string[]) => void,
  onLost: (id: string, loss: Loss) => void,
): Task {
  let at = 0;
  let hasKnocked = false;
  return {
    request: { type: 'prepare', ids: [...ids] },
    segments: [],
    allowance: () => 2 * context.timeoutOf(ids[at] ?? '') + prepareAllowance,
    running: () => ids[at],
    interrupt() {
      if (!hasKnocked) context.knock();
      hasKnocked = true;
    },
    onReply({ header }) {
      if (header.type === 'rested') {
        onLeft(ids.slice(at));
        return true;
      }
      if ((header.type !== 'prepared' && header.type !== 'failed') || header.id !== ids[at])
        context.refuse('it answered something else than it was asked');
      else at += 1;
      return false;
    },
    onLost(loss) {
      const id = ids[at];
      if (id !== undefined) onLost(id, loss);
    },
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
