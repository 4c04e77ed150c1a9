/**
 * What host and sandbox process say to each other, over three stream sockets.
 *
 * On the child's descriptor 3 the host's requests come in, on 4 the child's replies go out, both as frames. Nobody waits at the other end of 4:
 * what is written there costs a system call, wakes nobody, and outlives the child. On 3 the child sends bells, bytes of any value: each says
 * that the host is to read 4 now. It rings when the host has something to do, and at the latest before 4 can be full. On 5 the host knocks, with a byte of
 * any value: what the process does for later is to rest, as there is something more urgent on 3.
 *
 * A frame (frame.ts) is a header, one of the requests and replies here, and segments: texts that cross without being looked at. The child answers requests in
 * the order in which it gets them.
 */
import type { HandlerName } from './handler-names.ts';
import type { Layout } from './layout.ts';

/** The child's descriptors: of requests and bells, of replies, of knocks. */
export const requestsFd = 3;
export const repliesFd = 4;
export const knocksFd = 5;
/**
 * What the child writes between two bells: fewer frames, and not more bytes, than a socket takes that nobody reads (212,992 bytes unless configured
 * otherwise, of which each write costs about 1 KiB beside its own: socket(7), net.core.wmem_default).
 */
export const maxUnrung = { frames: 32, bytes: 32 << 10 };

/** Longest result of one script, in UTF-16 units of its JSON. */
export const maxResultLength = 1 << 20;
/** Longest record that a script keeps (`nri.state`), in UTF-16 units of its JSON. */
export const maxStateLength = 64 << 10;
/** Longest log line of a script, in UTF-16 units of its JSON; what is longer is cut. */
export const maxLogLength = 64 << 10;
/** Log lines of one script in one event, and their length in all; the rest is counted and dropped. */
export const maxLogLines = 100;
export const maxLogVolume = 256 << 10;
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
/** Look-ups (pods, containers) of one script in one event. */
export const maxLookups = 100;
export const lookupKinds = ['pod', 'pods', 'container', 'containers', 'state'] as const;
export const maxArgumentLength = 200;
/** Longest parts of a script's error, UTF-16 units. */
export const maxErrorLength = { name: 200, message: 4000, stack: 8000 };

/** A script as the sandbox needs it. */
export type SandboxScript = {
  /** Unique for this version of the file. */
  id: string;
  /** File name: error positions carry it. */
  name: string;
  /** A classic script that calls `__define(function (module, exports, __libraries) { … })`. */
  code: string;
  /** Packages that are to be at hand, by name: the code of a function body that fills `module.exports`. */
  libraries?: Readonly<Record<string, string>>;
  /** JSON of the settings' `config`, or 'null'. */
  config: string;
  /** Milliseconds that one run may take. */
  timeout: number;
  /** Bytes. */
  memory: number;
  /** Grants (src/compose). */
  allow: string[];
  shadow: boolean;
};

/** Facts that scripts may read; JSON of `{ runtime, node }` as types/ describes them. */
export type Facts = { runtime: { name: string; version: string; nriVersion: string }; node: object };

export type EventHeader = {
  type: 'event';
  handler: string;
  /** Ids of loaded scripts, in order. */
  scripts: string[];
  /** When the answer must be there: monotonic clock, milliseconds (clock.ts). */
  deadline: number;
  /** How results change what later scripts see. */
  compose: 'create' | 'update' | 'none';
  /** The event's properties; the segments are their texts, each property's with its parts behind it. */
  layouts: Layout[];
};

export type Request =
  | { type: 'facts'; facts: Facts }
  /** A package that scripts to come import; its code is the segment. */
  | { type: 'library'; name: string }
  | { type: 'load'; script: Omit<SandboxScript, 'code' | 'libraries'> }
  | { type: 'unload'; id: string }
  /** Answered once per id, and by `rested` at the end, which a knock brings about early: then the last ids are left out. */
  | { type: 'prepare'; ids: string[] }
  | EventHeader
  | { type: 'found' };

export type ScriptError = { name: string; message: string; stack: string };

/** How one run of a script ended, as the sandbox saw it. */
export type Outcome = (typeof outcomes)[number];
export const outcomes = ['ok', 'error', 'timeout', 'memory', 'pending', 'budget'] as const;

export type Reply =
  | { type: 'ready' }
  | { type: 'loaded'; id: string; handlers: HandlerName[]; micros: number }
  | { type: 'prepared'; id: string; micros: number }
  | { type: 'rested' }
  /** Loading or preparing failed. */
  | { type: 'failed'; id: string; outcome: Exclude<Outcome, 'ok'>; error: ScriptError }
  | { type: 'log'; id: string; level: (typeof logLevels)[number]; dropped: number }
  | { type: 'lookup'; id: string; kind: (typeof lookupKinds)[number]; argument: string }
  | { type: 'result'; id: string; outcome: Outcome; micros: number; error?: ScriptError }
  /** An event is over. `micros` since it was read, of them `contexts` for contexts that were not ready. */
  | { type: 'done'; isolates: number; micros: number; contexts: number };
