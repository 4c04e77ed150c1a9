/** What the sandbox offers to the host, and what it asks of it. */
import type { Confinement } from './confinement.ts';
import type { HandlerName } from './handler-names.ts';
import type { EventHeader, Facts, Outcome, SandboxScript, ScriptError } from './protocol.ts';
import type { ScriptRun } from './script-run.ts';

export type SandboxEvent = {
  handler: HandlerName;
  /** Ids of loaded scripts, in order. */
  scripts: readonly string[];
  /** Monotonic milliseconds (clock.ts) by which {@link Sandbox.run} is over. */
  deadline: number;
  compose: EventHeader['compose'];
  /** The event's properties: plain data, bigints among them; what is undefined is given as null. Asked for again when the event goes on in another process. */
  input(): Readonly<Record<string, unknown>>;
};

/** Where an event's time went, microseconds. */
export type RunTimes = {
  /** Waiting for the process to be free, and laying out the event. */
  send: number;
  /** Until the process had read it, and until its end was read here. */
  hop: number;
  /** Contexts that were not ready. */
  contexts: number;
  /** In the process beside contexts and scripts: reading, what the next script sees, writing. */
  process: number;
};

export type LoadResult = { handlers: HandlerName[]; micros: number } | { outcome: Exclude<Outcome, 'ok'> | 'killed'; error: ScriptError };

export type SandboxState = {
  /** Undefined while there is no process that is ready. */
  pid: number | undefined;
  /** Processes started so far. */
  starts: number;
  scripts: number;
  isolates: number;
  /** Bytes that the process occupies; 0 when that is not known. */
  rss: number;
  /** Bytes that the process may occupy. */
  ceiling: number;
  /** What was taken from the process' rights. */
  holds: Confinement['holds'];
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
  /** Runs an event; `onRun` is called once per script: first for those that are not loaded, then in order. Over by the deadline whatever happens. One at a time. Undefined when it did not go through one process from beginning to end. */
  run(event: SandboxEvent, onRun: (run: ScriptRun) => void): Promise<RunTimes | undefined>;
  /** Resolves when a process is up and all loaded scripts have a context ready. */
  idle(): Promise<void>;
  state(): SandboxState;
  close(): Promise<void>;
};
