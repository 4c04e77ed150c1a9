/**
 * Frames of the channels between host and sandbox process:
 *
 *     u32be length of the rest | u32be length of the header | u32be number of segments | u32be length of each | header | segments
 *
 * All lengths are in bytes. The header is JSON; segments are UTF-8 texts.
 */

export type Frame<Header> = { header: Header; segments: string[] };

/** What the child accepts in one frame: a node's whole state. */
export const maxFrameBytes = 64 << 20;
/** What the host accepts from the child in one frame; a larger one ends the child. */
export const maxReplyBytes = 4 << 20;
/** What the host accepts as the header of such a frame. */
export const maxReplyHeaderBytes = 128 << 10;

const maxSegments = 256;
/** The three lengths that each frame has. */
const fixedLength = 12;

/** Encodes a frame. */
export function encodeFrame(header: object, segments: readonly string[] = []): Buffer {
  const json = JSON.stringify(header);
  const headerLength = Buffer.byteLength(json);
  let at = fixedLength + 4 * segments.length;
  let length = at + headerLength;
  for (const segment of segments) length += Buffer.byteLength(segment);
  const frame = Buffer.allocUnsafe(length);
  frame.writeUInt32BE(length - 4, 0);
  frame.writeUInt32BE(headerLength, 4);
  frame.writeUInt32BE(segments.length, 8);
  at += frame.write(json, at);
  for (let index = 0; index < segments.length; index++) {
    const written = frame.write(segments[index]!, at);
    frame.writeUInt32BE(written, fixedLength + 4 * index);
    at += written;
  }
  return frame;
}

/** The frame's bytes are not what they should be. */
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
      if (length < fixedLength - 4 || length > this.#limit) throw new FrameError(`a frame of ${length} bytes`);
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

function decodeFrame<Header>(body: Buffer, headerLimit: number): Frame<Header> {
  const headerLength = body.readUInt32BE(0);
  const count = body.readUInt32BE(4);
  if (headerLength > headerLimit) throw new FrameError(`a header of ${headerLength} bytes`);
  if (count > maxSegments) throw new FrameError(`${count} segments`);
  const lengths = fixedLength - 4;
  let at = lengths + 4 * count;
  if (at + headerLength > body.length) throw new FrameError('a header longer than its frame');
  const header = parseHeader(body.toString('utf8', at, at + headerLength)) as Header;
  at += headerLength;
  const segments: string[] = [];
  for (let index = 0; index < count; index++) {
    const length = body.readUInt32BE(lengths + 4 * index);
    if (at + length > body.length) throw new FrameError('a segment longer than its frame');
    segments.push(body.toString('utf8', at, at + length));
    at += length;
  }
  if (at < body.length) throw new FrameError('a frame longer than what is in it');
  return { header, segments };
}

function parseHeader(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FrameError('a header that is no JSON');
  }
}
