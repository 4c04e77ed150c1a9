/**
 * The host's handle on the sandbox: keeps one sandbox process with all scripts loaded, runs events in it, ends it with SIGKILL when it
 * makes no progress, and starts another.
 *
 * The host owns the clock. The process does one task at a time; while it has one, a watch runs that each sign of progress winds up
 * again, so a process that hangs is known together with the script that it hangs in. The same goes for what it occupies. What it says that
 * does not belong to its task, or is more than it may say, ends it too.
 */
import { type ActiveEvent, beginEvent } from './active-event.ts';
import { type Aside, createAsides } from './asides.ts';
import { ceilingFor, type MemoryCeiling, ordinaryCeiling } from './ceiling.ts';
import { monotonicNow } from './clock.ts';
import type { Confinement } from './confinement.ts';
import type { LoadResult, Sandbox, SandboxObserver } from './contract.ts';
import type { Frame } from './frame.ts';
import { createMemoryWatch } from './memory.ts';
import { confinementHere, type SandboxProcess, startSandboxProcess } from './process.ts';
import type { Facts, Reply, SandboxScript } from './protocol.ts';
import { createRoster } from './roster.ts';
import { lossOf, notRun, type ScriptRun } from './script-run.ts';
import { createStallWatch } from './stall-watch.ts';
import { eventTask, type Load, type LoadFailure, loadTask, prepareTask, type Task, type TaskContext } from './tasks.ts';
import { timesOf } from './times.ts';

/** How long an event waits for what is done in the background, milliseconds: longer than any load or context that goes well. */
const patience = 300;
const startAllowance = 10_000;
const slowestRestart = 5000;

type Probe = { script: SandboxScript; settle(result: LoadResult): void; interrupted?: boolean };

export type SandboxOptions = {
  ceiling?: MemoryCeiling;
  /** How its processes are started. */
  confinement?: Confinement;
};

export function openSandbox(observer: SandboxObserver, options: SandboxOptions = {}): Sandbox {
  const { ceiling = ordinaryCeiling } = options;
  let confinement = options.confinement ?? confinementHere();
  const roster = createRoster();
  const probes: Probe[] = [];
  const listen = () => current?.listen();
  const stall = createStallWatch(listen);
  const asides = createAsides();
  const memory = createMemoryWatch(ceilingNow, listen, reason => {
    overCeiling = true;
    current?.kill(reason);
  });
  const waitingForIdle: Array<() => void> = [];
  const context: TaskContext = {
    timeoutOf: id => roster.script(id)?.timeout ?? 0,
    send: (request, segments) => current?.send(request, segments),
    knock: () => current?.knock(),
    refuse: reason => current?.kill(reason),
  };
  let facts: Facts | undefined;
  let factsSent = false;
  let current: SandboxProcess | undefined;
  let ready = false;
  let task: Task | undefined;
  let active: ActiveEvent | undefined;
  let overCeiling = false;
  /** The process was ended because an event waited, and not because its task took longer than it may. */
  let interrupted = false;
  let inBackground = false;
  let sentAt = 0;
  let restart: NodeJS.Timeout | undefined;
  let starts = 0;
  let failedStarts = 0;
  let everReady = false;
  let isolates = 0;
  let closed: (() => void) | undefined;

  function start(): void {
    restart = undefined;
    const startedAt = monotonicNow();
    starts += 1;
    // Should a process confined as planned not come up at all, then better one with Node's own means than none.
    if (!everReady && failedStarts >= 2) confinement = { ...confinement, prefix: [] };
    const process: SandboxProcess = startSandboxProcess(confinement, {
      onReply(frame) {
        if (ready) {
          received(frame);
          return;
        }
        if (frame.header.type !== 'ready') {
          process.kill('it spoke before it was ready');
          return;
        }
        ready = true;
        everReady = true;
        memory.open(process.pid);
        observer.onStarted?.(process.pid, monotonicNow() - startedAt);
        stall.stop();
        pump();
      },
      onExit: ended,
    });
    current = process;
    stall.wind(startAllowance, () => current?.kill(`it was not ready after ${startAllowance} ms`));
  }

  /** What no event waited for when it began is not to hold one up. */
  function rewindFor(next: Task): void {
    const allowance = next.allowance();
    const isImpatient = inBackground && active !== undefined && allowance > patience;
    stall.wind(isImpatient ? patience : allowance, () => {
      interrupted = isImpatient;
      current?.kill(isImpatient ? 'an event could not wait longer for it' : `no progress for ${Math.round(allowance)} ms`);
    });
  }

  function ceilingNow(): number {
    return ceilingFor(ceiling, roster.scripts());
  }

  function provide(script: SandboxScript): void {
    for (const [name, source] of roster.takeLibraries(script)) current?.send({ type: 'library', name }, [source]);
  }

  function begin(next: Task): void {
    task = next;
    asides.reset();
    sentAt = monotonicNow();
    current?.send(next.request, next.segments);
    next.begun?.();
    inBackground = !active;
    rewindFor(next);
    memory.begin();
  }

  function rest(): void {
    task = undefined;
    failedStarts = 0;
    stall.stop();
    // After the answer, and not when the next event has begun: that is not to blame for what this one took.
    setImmediate(() => {
      if (!task) memory.rest();
    });
  }

  function received(frame: Frame<Reply>): void {
    const { header, segments } = frame;
    if (!task) {
      current?.kill('it answered without being asked');
      return;
    }
    if (header.type === 'log' || header.type === 'lookup') {
      aside(header, segments[0] ?? '', task.running());
      return;
    }
    if (!task.onReply(frame)) {
      rewindFor(task);
      return;
    }
    rest();
    pumpAfterAnswer();
  }

  /** The event's answer leaves before the next work in the background begins. */
  function pumpAfterAnswer(): void {
    if (active) pump();
    else setImmediate(pump);
  }

  function aside(header: Aside, text: string, running: string | undefined): void {
    const objection = asides.objection(header, running, current?.untaken ?? 0);
    if (objection !== undefined) current?.kill(objection);
    else if (header.type === 'log') observer.onLog(header.id, header.level, text, header.dropped);
    else current?.send({ type: 'found' }, [observer.onLookup(header.id, header.kind, header.argument)]);
  }

  function ended(reason: string, wasKilled: boolean): void {
    const lost = task;
    const loss = lossOf(overCeiling ? 'memory' : 'killed', reason, wasKilled ? 'ended' : 'crashed');
    if (!ready || (lost && lost.request.type !== 'event')) failedStarts += 1;
    task = undefined;
    current = undefined;
    ready = false;
    overCeiling = false;
    factsSent = false;
    roster.reset();
    stall.end();
    memory.close();
    if (closed) {
      closed();
      return;
    }
    observer.onEnded?.(reason);
    lost?.onLost(loss);
    interrupted = false;
    const pause = failedStarts < 2 ? 0 : Math.min(slowestRestart, 50 * 2 ** failedStarts);
    if (pause === 0) start();
    else restart = setTimeout(start, pause);
  }

  /** Gives the process its next task: the event's scripts, the event, new scripts, missing scripts, contexts for the next event. */
  function pump(): void {
    if (!ready || !current) return;
    if (task) {
      if (isWanted()) task.interrupt?.();
      return;
    }
    if (facts && !factsSent) {
      factsSent = true;
      current.send({ type: 'facts', facts });
      roster.age();
    }
    for (const id of roster.takeRemoved()) current.send({ type: 'unload', id });
    const next = nextTask();
    if (next) {
      begin(next);
      return;
    }
    // The last script of an event was done without a task, and what follows is under way already.
    if (task) return;
    memory.pause();
    for (const resolve of waitingForIdle.splice(0)) resolve();
  }

  function nextTask(): Task | undefined {
    if (active) {
      const run = active;
      for (const id of run.remaining.filter(each => !roster.has(each))) {
        const script = roster.script(id);
        if (script && roster.mayHoldUp(id)) return reloadTask(script, run.event.deadline);
        run.report(notRun(id, script ? 'not loaded again' : 'not loaded'));
      }
      return active ? taskOf(run) : undefined;
    }
    const probe = nextProbe();
    if (probe) return loadTask(context, probe, Number.POSITIVE_INFINITY, () => (active ? undefined : nextProbe()));
    const script = roster.missing();
    if (script) return reloadTask(script, Number.POSITIVE_INFINITY);
    const aged = roster.takeAged();
    return aged.length > 0 ? prepareTask(context, aged, roster.age, lose) : undefined;
  }

  /** Takes the next script that is to be tried. */
  function nextProbe(): Load | undefined {
    const probe = probes.shift();
    if (!probe) return undefined;
    const { script } = probe;
    provide(script);
    return {
      script,
      onLoaded(loaded) {
        roster.loaded(script);
        probe.settle(loaded);
      },
      onFailed(failed) {
        if (!interrupted || probe.interrupted) probe.settle(failed);
        else probes.push({ ...probe, interrupted: true });
      },
      onLeft: () => void probes.unshift(probe),
    };
  }

  /** Whether something waits for the process that is more urgent than contexts. */
  function isWanted(): boolean {
    return active !== undefined || probes.length > 0 || roster.hasRemoved() || (facts !== undefined && !factsSent);
  }

  function reloadTask(script: SandboxScript, deadline: number): Task {
    provide(script);
    const { id } = script;
    const onLoaded = () => {
      const isGone = roster.script(id) === undefined;
      roster.loaded(script);
      if (isGone) roster.remove(id);
    };
    return loadTask(context, { script, onLoaded, onFailed: failed => lose(id, failed) }, deadline);
  }

  function taskOf(run: ActiveEvent): Task {
    const scripts = [...run.remaining];
    let inScripts = 0;
    const report = (result: ScriptRun) => {
      inScripts += result.micros;
      run.report(result);
    };
    return eventTask(context, run.event, scripts, report, done => {
      isolates = done.isolates;
      if (scripts.length === run.event.scripts.length) run.times = timesOf(run.startedAt, sentAt, done, inScripts);
      roster.age(scripts);
    });
  }

  function lose(id: string, failed: LoadFailure): void {
    if (roster.lose(id)) observer.onLost(id, failed.error);
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
      roster.remove(id);
      pump();
    },
    run: (event, onRun) =>
      new Promise(resolve => {
        if (event.scripts.length === 0) {
          resolve(undefined);
          return;
        }
        const run = beginEvent(event, listen, onRun, () => {
          active = undefined;
          // What the process says of the event as a whole comes right behind its last result.
          queueMicrotask(() => resolve(run.times));
          pumpAfterAnswer();
        });
        active = run;
        if (task && inBackground) rewindFor(task);
        pump();
      }),
    idle: () =>
      new Promise(resolve => {
        waitingForIdle.push(resolve);
        pump();
      }),
    state: () => ({
      pid: ready ? current?.pid : undefined,
      starts,
      scripts: roster.size(),
      isolates,
      rss: memory.bytes(),
      ceiling: ceilingNow(),
      holds: confinement.holds,
    }),
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
