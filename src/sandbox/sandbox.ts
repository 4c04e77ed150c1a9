/**
 * The host's handle on the sandbox: keeps one sandbox process with all scripts loaded, runs events in it, ends it with SIGKILL when it
 * makes no progress, and starts another.
 *
 * The host owns the clock. The process does one task at a time; while it has one, a watch runs that each sign of progress winds up
 * again, so a process that hangs is known together with the script that it hangs in.
 */
import { monotonicNow } from './clock.ts';
import type { HandlerName } from './handler-names.ts';
import { type SandboxProcess, startSandboxProcess } from './process.ts';
import type { EventHeader, Facts, Frame, Outcome, Reply, Request, SandboxScript, ScriptError } from './protocol.ts';
import { decodeResult } from './values.ts';

/** How long past its own timeout a script may keep the process before the process is ended, milliseconds. */
const grace = 100;
/** What loading may take beside the script's own top level: a new isolate, compiling. */
const loadAllowance = 2000;
const prepareAllowance = 500;
const startAllowance = 10_000;
const slowestRestart = 5000;

export type SandboxEvent = {
  handler: HandlerName;
  /** Ids of loaded scripts, in order. */
  scripts: readonly string[];
  /** Monotonic milliseconds (clock.ts) by which {@link Sandbox.run} is over. */
  deadline: number;
  compose: EventHeader['compose'];
  /** Names of the event's properties, and their texts (values.ts); asked for again when the event goes on in another process. */
  names: string[];
  segments(): string[];
};

export type ScriptRun =
  | { id: string; outcome: 'ok'; micros: number; result: unknown; updates: unknown[]; state?: Record<string, unknown> }
  | { id: string; outcome: Exclude<Outcome, 'ok'> | 'killed'; micros: number; error: ScriptError };

export type LoadResult = { handlers: HandlerName[]; micros: number } | { outcome: Exclude<Outcome, 'ok'> | 'killed'; error: ScriptError };

export type SandboxState = {
  /** Undefined while there is no process that is ready. */
  pid: number | undefined;
  /** Processes started so far. */
  starts: number;
  scripts: number;
  isolates: number;
  /** Resident bytes as the process last told. */
  rss: number;
};

export type SandboxObserver = {
  onLog(id: string, level: string, text: string, dropped: number): void;
  /** Answers a script's look-up with a text (values.ts), 'null' for unknown, or '#' and a refusal. */
  onLookup(id: string, kind: string, argument: string): string;
  onStarted?(pid: number | undefined, millis: number): void;
  onEnded?(reason: string): void;
  /** A loaded script ended the process outside of any event; it stays unloaded. */
  onLost(id: string, error: ScriptError): void;
};

export type Sandbox = {
  setFacts(facts: Facts): void;
  /** Compiles a script, evaluates its top level and keeps it for events. */
  load(script: SandboxScript): Promise<LoadResult>;
  unload(id: string): void;
  /** Runs an event; `onRun` is called once per script, in order. Over by the deadline whatever happens. One at a time. */
  run(event: SandboxEvent, onRun: (run: ScriptRun) => void): Promise<void>;
  /** Resolves when a process is up and all loaded scripts have a context ready. */
  idle(): Promise<void>;
  state(): SandboxState;
  close(): Promise<void>;
};

type Task = {
  request: Request;
  segments: readonly string[];
  /** Milliseconds without progress after which the process is ended. */
  allowance(): number;
  /** True when the task is done. */
  onReply(frame: Frame<Reply>): boolean;
  onLost(reason: string): void;
};

type ActiveEvent = { event: SandboxEvent; remaining: string[]; report(run: ScriptRun): void; finish(): void };

type Probe = { script: SandboxScript; settle(result: LoadResult): void };

export function openSandbox(observer: SandboxObserver): Sandbox {
  const wanted = new Map<string, SandboxScript>();
  const probes: Probe[] = [];
  const present = new Set<string>();
  const stale = new Set<string>();
  const dropped = new Set<string>();
  const waitingForIdle: Array<() => void> = [];
  let facts: Facts | undefined;
  let factsSent = false;
  let current: SandboxProcess | undefined;
  let ready = false;
  let task: Task | undefined;
  let active: ActiveEvent | undefined;
  let watch: NodeJS.Timeout | undefined;
  let restart: NodeJS.Timeout | undefined;
  let starts = 0;
  let failedStarts = 0;
  let isolates = 0;
  let rss = 0;
  let closed: (() => void) | undefined;

  function start(): void {
    restart = undefined;
    const startedAt = monotonicNow();
    starts += 1;
    const process: SandboxProcess = startSandboxProcess({
      onReply(frame) {
        if (frame.header.type === 'ready') {
          ready = true;
          observer.onStarted?.(process.pid, monotonicNow() - startedAt);
          rewind(undefined);
          pump();
        } else received(frame);
      },
      onExit: ended,
    });
    current = process;
    rewind(startAllowance);
  }

  function rewind(allowance: number | undefined): void {
    clearTimeout(watch);
    if (allowance === undefined) return;
    watch = setTimeout(() => current?.kill(`no progress for ${Math.round(allowance)} ms`), allowance);
  }

  function received(frame: Frame<Reply>): void {
    const { header, segments } = frame;
    if (header.type === 'log') {
      observer.onLog(header.id, header.level, segments[0] ?? '', header.dropped);
      return;
    }
    if (header.type === 'lookup') {
      current?.send({ type: 'found' }, [observer.onLookup(header.id, header.kind, header.argument)]);
      return;
    }
    if (!task) {
      current?.kill('it answered without being asked');
      return;
    }
    if (!task.onReply(frame)) {
      rewind(task.allowance());
      return;
    }
    task = undefined;
    failedStarts = 0;
    rewind(undefined);
    pump();
  }

  function ended(reason: string): void {
    const lost = task;
    if (!ready || (lost && lost.request.type !== 'event')) failedStarts += 1;
    task = undefined;
    current = undefined;
    ready = false;
    factsSent = false;
    present.clear();
    stale.clear();
    dropped.clear();
    rewind(undefined);
    if (closed) {
      closed();
      return;
    }
    observer.onEnded?.(reason);
    lost?.onLost(reason);
    const pause = failedStarts < 2 ? 0 : Math.min(slowestRestart, 50 * 2 ** failedStarts);
    if (pause === 0) start();
    else restart = setTimeout(start, pause);
  }

  /** Gives the process its next task: the event's scripts, the event, new scripts, missing scripts, contexts for the next event. */
  function pump(): void {
    if (!ready || task || !current) return;
    if (facts && !factsSent) {
      factsSent = true;
      current.send({ type: 'facts', facts });
      for (const id of present) stale.add(id);
    }
    for (const id of dropped) current.send({ type: 'unload', id });
    dropped.clear();
    const next = nextTask();
    if (!next) {
      for (const resolve of waitingForIdle.splice(0)) resolve();
      return;
    }
    task = next;
    current.send(next.request, next.segments);
    rewind(next.allowance());
  }

  function nextTask(): Task | undefined {
    if (active) {
      const missing = active.remaining.find(id => !present.has(id));
      if (missing === undefined) return eventTask(active);
      const script = wanted.get(missing);
      if (script) return loadTask(script, failed => reportLost(script.id, failed));
      active.report({ id: missing, outcome: 'error', micros: 0, error: { name: '', message: 'the script is not loaded', stack: '' } });
      return active ? nextTask() : undefined;
    }
    const probe = probes.shift();
    if (probe) {
      return loadTask(
        probe.script,
        failed => probe.settle(failed),
        loaded => {
          wanted.set(probe.script.id, probe.script);
          probe.settle(loaded);
        },
      );
    }
    for (const script of wanted.values()) {
      if (!present.has(script.id)) return loadTask(script, failed => reportLost(script.id, failed));
    }
    for (const id of stale) {
      stale.delete(id);
      if (present.has(id)) return prepareTask(id);
    }
    return undefined;
  }

  type Failed = Exclude<LoadResult, { handlers: HandlerName[] }>;

  function reportLost(id: string, failed: Failed): void {
    wanted.delete(id);
    observer.onLost(id, failed.error);
  }

  function loadTask(script: SandboxScript, onFailed: (failed: Failed) => void, onLoaded?: (loaded: LoadResult) => void): Task {
    const { code, ...rest } = script;
    return {
      request: { type: 'load', script: rest },
      segments: [code],
      allowance: () => 2 * script.timeout + loadAllowance,
      onReply({ header }) {
        if (header.type === 'loaded') {
          present.add(script.id);
          onLoaded?.({ handlers: header.handlers as HandlerName[], micros: header.micros });
        } else if (header.type === 'failed') onFailed({ outcome: header.outcome as Failed['outcome'], error: header.error });
        return true;
      },
      onLost: reason => onFailed({ outcome: 'killed', error: sandboxEnded(reason) }),
    };
  }

  function prepareTask(id: string): Task {
    const timeout = wanted.get(id)?.timeout ?? 0;
    return {
      request: { type: 'prepare', id },
      segments: [],
      allowance: () => 2 * timeout + prepareAllowance,
      onReply: () => true,
      onLost: reason => reportLost(id, { outcome: 'killed', error: sandboxEnded(reason) }),
    };
  }

  function eventTask(run: ActiveEvent): Task {
    const { event, remaining } = run;
    const scripts = [...remaining];
    let at = 0;
    return {
      request: { type: 'event', handler: event.handler, scripts, deadline: event.deadline, compose: event.compose, names: event.names },
      segments: event.segments(),
      allowance: () => Math.min(wanted.get(scripts[at] ?? '')?.timeout ?? 0, Math.max(0, event.deadline - monotonicNow())) + grace,
      onReply({ header, segments }) {
        if (header.type === 'done') {
          isolates = header.isolates;
          rss = header.rss;
          for (const id of scripts.slice(0, at)) stale.add(id);
          return true;
        }
        if (header.type !== 'result' || header.id !== scripts[at]) {
          current?.kill('it answered for another script than the one that ran');
          return false;
        }
        at += 1;
        run.report(readRun(header, segments));
        return false;
      },
      onLost(reason) {
        const id = scripts[at];
        if (id !== undefined) run.report({ id, outcome: 'killed', micros: 0, error: sandboxEnded(reason) });
      },
    };
  }

  start();

  return {
    setFacts(next) {
      facts = next;
      factsSent = false;
      pump();
    },
    load: script =>
      new Promise(settle => {
        probes.push({ script, settle });
        pump();
      }),
    unload(id) {
      wanted.delete(id);
      stale.delete(id);
      if (present.delete(id)) dropped.add(id);
      pump();
    },
    run: (event, onRun) =>
      new Promise(resolve => {
        if (event.scripts.length === 0) {
          resolve();
          return;
        }
        const startedAt = monotonicNow();
        const timer = setTimeout(() => run.finish(), Math.max(0, event.deadline - startedAt));
        const run: ActiveEvent = {
          event,
          remaining: [...event.scripts],
          report(result) {
            if (run !== active || run.remaining[0] !== result.id) return;
            run.remaining.shift();
            onRun(result);
            if (run.remaining.length === 0) run.finish();
          },
          finish() {
            if (run !== active) return;
            active = undefined;
            clearTimeout(timer);
            for (const id of run.remaining) onRun({ id, outcome: 'budget', micros: 0, error: noTime });
            resolve();
            pump();
          },
        };
        active = run;
        pump();
      }),
    idle: () =>
      new Promise(resolve => {
        waitingForIdle.push(resolve);
        pump();
      }),
    state: () => ({ pid: ready ? current?.pid : undefined, starts, scripts: wanted.size, isolates, rss }),
    close: () =>
      new Promise(resolve => {
        clearTimeout(restart);
        active?.finish();
        closed = resolve;
        if (current) current.kill('closed');
        else resolve();
      }),
  };
}

const noTime: ScriptError = { name: '', message: 'no time was left in the event', stack: '' };

function sandboxEnded(reason: string): ScriptError {
  return { name: '', message: `the sandbox process was lost while it ran: ${reason}`, stack: '' };
}

function readRun(header: Extract<Reply, { type: 'result' }>, segments: string[]): ScriptRun {
  const { id, outcome, micros } = header;
  if (outcome !== 'ok') return { id, outcome, micros, error: header.error ?? (outcome === 'budget' ? noTime : nothingSaid) };
  const answer = decodeResult(segments[0] ?? '{}') as { result?: unknown; updates?: unknown; state?: unknown; error?: ScriptError };
  if (answer.error) return { id, outcome: 'error', micros, error: answer.error };
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

const nothingSaid: ScriptError = { name: '', message: 'the sandbox gave no reason', stack: '' };
