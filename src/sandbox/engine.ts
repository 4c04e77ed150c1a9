/**
 * The scripts of one sandbox process: an isolate each, and in it a fresh context for every event, made ready beforehand.
 *
 * isolated-vm stays behind this file. Its limits were measured (README, "What holds a script"): a timeout ends loops but not every
 * builtin, so the host watches this process from outside and nothing here has to be unbreakable.
 */
import { setFlagsFromString } from 'node:v8';
import ivm from 'isolated-vm';
import { readScriptError } from './check-reply.ts';
import { type HandlerName, handlerNames } from './handler-names.ts';
import { preludeSource } from './prelude.ts';
import {
  type Facts,
  maxErrorLength,
  maxLogLength,
  maxResultLength,
  maxStateLength,
  type Outcome,
  type SandboxScript,
  type ScriptError,
} from './protocol.ts';

/** What a script may call outside of its isolate, once per call. Neither may throw: host paths would leak into the isolate. */
export type EngineCallbacks = {
  log(id: string, level: string, text: string): void;
  lookup(id: string, kind: string, argument: string): string;
  part(property: number, part: number): string;
};

export type Failure = { outcome: Exclude<Outcome, 'ok'>; error: ScriptError };
/** `micros` in all, of them `context` for making the context, where it was not ready. */
export type Run = ({ outcome: 'ok'; text: string } | Failure) & { micros: number; context: number };

export type Engine = {
  setFacts(facts: Facts): void;
  /** Compiles a script and evaluates its top level once. */
  load(script: SandboxScript): { handlers: HandlerName[] } | Failure;
  unload(id: string): void;
  /** Makes a fresh context ready for the script's next event. */
  prepare(id: string): Failure | undefined;
  script(id: string): SandboxScript | undefined;
  /** Runs one handler. `layouts` and `texts` are the event's (event-view.ts); `timeout` in milliseconds. */
  run(id: string, handler: string, layouts: string, texts: readonly string[], timeout: number): Run;
  /** Number of live isolates. */
  isolates(): number;
};

type Loaded = {
  script: SandboxScript;
  isolate: ivm.Isolate;
  prelude: ivm.Script;
  body: ivm.Script;
  /** What V8 made of the script, for its next isolate. */
  code: ivm.ExternalCopy<ArrayBuffer> | undefined;
  log: ivm.Callback;
  lookup: ivm.Callback;
  ready: Ready | undefined;
  /** The context of the last event: given back when the next one is made, for which no event waits. */
  used: Ready | undefined;
  /** Timed out, left a promise open or grew: replaced before the next event. */
  spent: boolean;
  /** Bytes in use when the first event was over. */
  atFirst: number | undefined;
  /** How much of {@link growthOf} it may grow by: not all are to be renewed at the same event. */
  part: number;
};

type Ready = { context: ivm.Context; call: Call };
/** The prelude's one function. */
type Call = ivm.Reference<(...args: unknown[]) => string>;

const preludeText = preludeSource();
const engineFlags = [
  // Functions are compiled with their script, and so are in what V8 keeps of it: otherwise the first event in each new isolate pays for them.
  '--no-lazy',
  // What V8 installs in each context beyond its snapshot, a sixth of what making one takes: newer than the language that scripts have (ECMAScript
  // 2024), or of WebAssembly and Atomics, which they do not have.
  '--no-js-explicit-resource-management',
  '--no-js-float16array',
  '--no-js-source-phase-imports',
  '--no-js-atomics-pause',
  '--no-experimental-wasm-jspi',
];

/** Changes how V8 works in this process. */
export function createEngine(callbacks: EngineCallbacks): Engine {
  for (const flag of engineFlags) setFlagsFromString(flag);
  const loaded = new Map<string, Loaded>();
  /** What V8 made of the prelude, for the isolates to come. Only ever our own: data from elsewhere would be code (CVE-2022-39266). */
  let preludeCode: ivm.ExternalCopy<ArrayBuffer> | undefined;
  let facts = '{}';
  const part = new ivm.Callback(callbacks.part);

  /** `before`: the one that it replaces. What V8 makes of the script is kept from the second on: a script that has just come has no time to lose. */
  function open(script: SandboxScript, before?: Loaded): Loaded {
    const isolate = new ivm.Isolate({ memoryLimit: Math.max(8, Math.ceil(script.memory / (1 << 20))) });
    const prelude = isolate.compileScriptSync(preludeText, { filename: 'nri-scripts', ...cached(preludeCode) });
    preludeCode ??= (prelude as ivm.Script & ivm.CachedDataResult).cachedData;
    const body = isolate.compileScriptSync(script.code, { filename: script.name, ...(before && cached(before.code)) });
    const code = before?.code ?? (body as ivm.Script & Partial<ivm.CachedDataResult>).cachedData;
    const log = new ivm.Callback((level: string, text: string) => callbacks.log(script.id, level, text));
    const lookup = new ivm.Callback((kind: string, argument: string) => callbacks.lookup(script.id, kind, argument));
    return {
      script,
      isolate,
      prelude,
      body,
      code,
      log,
      lookup,
      ready: undefined,
      used: undefined,
      spent: false,
      atFirst: undefined,
      part: 0.75 + Math.random() / 2,
    };
  }

  function close(entry: Loaded): void {
    release(entry);
    if (!entry.isolate.isDisposed) entry.isolate.dispose();
  }

  function renewed(entry: Loaded): Loaded {
    if (entry.used) {
      release(entry);
      if (!entry.isolate.isDisposed && grown(entry, growthOf(loaded.size))) entry.spent = true;
    }
    if (!entry.spent && !entry.isolate.isDisposed) return entry;
    close(entry);
    const fresh = open(entry.script, entry);
    loaded.set(entry.script.id, fresh);
    return fresh;
  }

  function makeReady(entry: Loaded): Ready {
    const { script } = entry;
    const timeout = { timeout: script.timeout };
    const context = entry.isolate.createContextSync();
    const prelude = entry.prelude.runSync(context, { reference: true }) as ivm.Reference<(...args: unknown[]) => unknown>;
    const call = prelude.applySync(
      undefined,
      [entry.log, entry.lookup, part, handlerNames.join(','), facts, script.config, maxResultLength, maxStateLength, maxLogLength],
      { ...timeout, result: { reference: true } },
    ) as Call;
    prelude.release();
    entry.body.runSync(context, timeout);
    return { context, call };
  }

  function release(entry: Loaded): void {
    for (const each of [entry.ready, entry.used]) {
      each?.call.release();
      each?.context.release();
    }
    entry.ready = undefined;
    entry.used = undefined;
  }

  function failure(entry: Loaded | undefined, thrown: unknown): Failure {
    const error = readError(thrown);
    if (entry?.isolate.isDisposed) return { outcome: 'memory', error };
    if (error.message === 'Script execution timed out.') {
      if (entry) entry.spent = true;
      return { outcome: 'timeout', error };
    }
    return { outcome: 'error', error };
  }

  return {
    setFacts(next) {
      facts = JSON.stringify(next);
      for (const entry of loaded.values()) release(entry);
    },
    load(script) {
      let entry: Loaded | undefined;
      try {
        entry = open(script);
        entry.ready = makeReady(entry);
        const handlers = readHandlers(entry.ready.call.applySync(undefined, ['handlers'], { timeout: script.timeout }));
        if (!Array.isArray(handlers)) {
          close(entry);
          return { outcome: 'error', error: handlers };
        }
        const before = loaded.get(script.id);
        if (before) close(before);
        loaded.set(script.id, entry);
        return { handlers };
      } catch (thrown) {
        const failed = failure(entry, thrown);
        if (entry) close(entry);
        return failed;
      }
    },
    unload(id) {
      const entry = loaded.get(id);
      if (!entry) return;
      loaded.delete(id);
      close(entry);
    },
    prepare(id) {
      const before = loaded.get(id);
      if (!before || (before.ready && !before.spent)) return undefined;
      let entry = before;
      try {
        entry = renewed(before);
        entry.ready = makeReady(entry);
        return undefined;
      } catch (thrown) {
        return failure(entry, thrown);
      }
    },
    script: id => loaded.get(id)?.script,
    run(id, handler, layouts, texts, timeout) {
      const started = performance.now();
      const micros = () => Math.round((performance.now() - started) * 1000);
      let context = 0;
      let entry = loaded.get(id);
      try {
        if (!entry) throw new Error('not loaded');
        if (!entry.ready || entry.spent) entry = renewed(entry);
        if (!entry.ready) {
          entry.ready = makeReady(entry);
          context = micros();
        }
        const { ready } = entry;
        entry.ready = undefined;
        entry.used = ready;
        let text = ready.call.applySync(undefined, ['start', handler, layouts, ...texts], { timeout });
        if (text === '') text = ready.call.applySync(undefined, ['collect'], { timeout });
        const spentOn = micros();
        if (typeof text !== 'string' || text === '') {
          entry.spent = true;
          return {
            outcome: 'pending',
            error: { name: '', message: 'the handler returned a promise that nothing can settle', stack: '' },
            micros: spentOn,
            context,
          };
        }
        if (text.length > maxResultLength) return { outcome: 'error', error: tooLarge, micros: spentOn, context };
        return { outcome: 'ok', text, micros: spentOn, context };
      } catch (thrown) {
        return { ...failure(entry, thrown), micros: micros(), context };
      }
    },
    isolates: () => loaded.size,
  };
}

/**
 * By how many bytes an isolate may grow until it is replaced, with so many scripts.
 *
 * Contexts that are done with stay until V8 collects them, which with so little in use it does after tens of megabytes. A new isolate costs
 * what two or three contexts do, so it is the cheaper way to give memory back (measured: 50 scripts took 1850 MB without this, 310 with). Few scripts share
 * the memory that many may have, and so are replaced more rarely.
 */
function growthOf(scripts: number): number {
  return Math.min(4 << 20, Math.max(2 << 20, (48 << 20) / scripts));
}

function cached(code: ivm.ExternalCopy<ArrayBuffer> | undefined): {
  cachedData?: ivm.ExternalCopy<ArrayBuffer>;
  produceCachedData?: boolean;
} {
  return code ? { cachedData: code } : { produceCachedData: true };
}

function grown(entry: Loaded, growth: number): boolean {
  const { used_heap_size, externally_allocated_size } = entry.isolate.getHeapStatisticsSync();
  const used = used_heap_size + externally_allocated_size;
  entry.atFirst ??= used;
  return used > Math.min(entry.atFirst + growth * entry.part, entry.script.memory / 2);
}

/** From the isolate: it may be anything. */
function readHandlers(text: unknown): HandlerName[] | ScriptError {
  const { handlers, error } = JSON.parse(String(text)) as { handlers?: unknown; error?: unknown };
  if (typeof handlers !== 'string') return readScriptError(error ?? { message: 'its handlers cannot be read' });
  const defined = handlers.split(',');
  return handlerNames.filter(name => defined.includes(name));
}

function readError(thrown: unknown): ScriptError {
  if (!(thrown instanceof Error)) return { name: '', message: `threw ${String(thrown)}`.slice(0, 1000), stack: '' };
  const stack = String(thrown.stack ?? '').split('\n    at (<isolated-vm boundary>)')[0]!;
  return {
    name: String(thrown.name).slice(0, maxErrorLength.name),
    message: String(thrown.message).slice(0, maxErrorLength.message),
    stack: stack.slice(0, maxErrorLength.stack),
  };
}

const tooLarge: ScriptError = { name: 'RangeError', message: `the result has more than ${maxResultLength} characters of JSON`, stack: '' };
