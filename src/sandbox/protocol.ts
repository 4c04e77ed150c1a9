/**
 * What host and sandbox process say to each other, over two stream sockets.
 *
 * On the child's descriptor 3 the host's requests come in, on 4 the child's replies go out, both as frames. Nobody waits at the other end of 4:
 * what is written there costs a system call, wakes nobody, and outlives the child. On 3 the child sends bells, bytes of any value: each says
 * that the host is to read 4 now. It rings when the host has something to do, and at the latest before 4 can be full.
 *
 * A frame is `u32be length of the rest | u32be length of the header | header (JSON) | segments`. Segments are UTF-8 texts that cross
 * without being looked at; the header tells their lengths in bytes. The child answers requests in the order in which it gets them.
 */
import type { HandlerName } from './handler-names.ts';
import type { Layout } from './layout.ts';

/** The child's descriptors: of requests and bells, and of replies. */
export const requestsFd = 3;
export const repliesFd = 4;
/**
 * What the child writes between two bells: fewer frames, and not more bytes, than a socket takes that nobody reads (212,992 bytes unless configured
 * otherwise, of which each write costs about 1 KiB beside its own: socket(7), net.core.wmem_default).
 */
export const maxUnrung = { frames: 32, bytes: 32 << 10 };

export const maxFrameBytes = 64 << 20;
/** What the host accepts from the child in one frame; a larger one ends the child. */
export const maxReplyBytes = 4 << 20;
/** What the host accepts as the header of such a frame. */
export const maxReplyHeaderBytes = 128 << 10;
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
  /** Answered once per id. */
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
  /** Loading or preparing failed. */
  | { type: 'failed'; id: string; outcome: Exclude<Outcome, 'ok'>; error: ScriptError }
  | { type: 'log'; id: string; level: (typeof logLevels)[number]; dropped: number }
  | { type: 'lookup'; id: string; kind: (typeof lookupKinds)[number]; argument: string }
  | { type: 'result'; id: string; outcome: Outcome; micros: number; error?: ScriptError }
  /** An event is over. `micros` since it was read, of them `contexts` for contexts that were not ready. */
  | { type: 'done'; isolates: number; micros: number; contexts: number };

export type Frame<Header> = { header: Header; segments: string[] };

/** Encodes a frame. */
export function encodeFrame(header: Request | Reply, segments: readonly string[] = []): Buffer {
  const lengths = segments.map(segment => Buffer.byteLength(segment));
  const json = JSON.stringify({ ...header, segments: lengths });
  const headerLength = Buffer.byteLength(json);
  const length = 4 + headerLength + lengths.reduce((sum, each) => sum + each, 0);
  const frame = Buffer.allocUnsafe(4 + length);
  frame.writeUInt32BE(length, 0);
  frame.writeUInt32BE(headerLength, 4);
  let at = 8 + frame.write(json, 8, 'utf8');
  for (const segment of segments) at += frame.write(segment, at, 'utf8');
  return frame;
}

/** The frame's bytes are not what the protocol says. */
export class FrameError extends Error {
  readonly code = 'SANDBOX_PROTOCOL';
}

/**
 * Takes a stream apart into frames. Throws {@link FrameError} before it allocates more than `limit` for a frame, and for a header longer than
 * `headerLimit`.
 */
export class FrameReader<Header> {
  readonly #limit: number;
  readonly #headerLimit: number;
  readonly #length = Buffer.alloc(4);
  #lengthFilled = 0;
  #body: Buffer | undefined;
  #bodyFilled = 0;
  #chunks: Buffer[] = [];

  constructor(limit: number, headerLimit = limit) {
    this.#limit = limit;
    this.#headerLimit = headerLimit;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  /** The next complete frame, or undefined. */
  next(): Frame<Header> | undefined {
    if (!this.#body) {
      this.#lengthFilled = this.#fill(this.#length, this.#lengthFilled);
      if (this.#lengthFilled < 4) return undefined;
      const length = this.#length.readUInt32BE(0);
      if (length < 4 || length > this.#limit) throw new FrameError(`a frame of ${length} bytes`);
      this.#body = Buffer.allocUnsafe(length);
    }
    this.#bodyFilled = this.#fill(this.#body, this.#bodyFilled);
    if (this.#bodyFilled < this.#body.length) return undefined;
    const body = this.#body;
    this.#body = undefined;
    this.#bodyFilled = 0;
    this.#lengthFilled = 0;
    return decodeFrame(body, this.#headerLimit);
  }

  /** Moves what has come into `target`, and says how far that is filled now. */
  #fill(target: Buffer, filled: number): number {
    let at = filled;
    while (at < target.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!;
      const copied = chunk.copy(target, at);
      at += copied;
      if (copied === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(copied);
    }
    return at;
  }
}

const maxSegments = 256;

function decodeFrame<Header>(body: Buffer, headerLimit: number): Frame<Header> {
  const headerLength = body.readUInt32BE(0);
  if (headerLength > body.length - 4) throw new FrameError('a header longer than its frame');
  if (headerLength > headerLimit) throw new FrameError(`a header of ${headerLength} bytes`);
  const { segments: lengths, ...header } = parseHeader(body.toString('utf8', 4, 4 + headerLength));
  if (!Array.isArray(lengths) || lengths.length > maxSegments) throw new FrameError('a header without its list of segments');
  const segments: string[] = [];
  let at = 4 + headerLength;
  for (const length of lengths as unknown[]) {
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || at + length > body.length)
      throw new FrameError('a segment longer than its frame');
    segments.push(body.toString('utf8', at, at + length));
    at += length;
  }
  return { header: header as Header, segments };
}

function parseHeader(text: string): { segments?: unknown } {
  try {
    return { ...JSON.parse(text) };
  } catch {
    throw new FrameError('a header that is no JSON');
  }
}
