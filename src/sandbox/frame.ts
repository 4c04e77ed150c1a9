/**
 * Frames of the channels between host and sandbox process:
 *
 *     u32be length of the rest, bytes | u32be length of the header | u32be number of segments | u32be length of each | UTF-8 text
 *
 * The text is the header, JSON, and the segments behind it; their lengths are in UTF-16 units. So however many there are, they are encoded and decoded in one go.
 */

export type Frame<Header> = { header: Header; segments: string[] };

/** What the child accepts in one frame: a node's whole state. */
export const maxFrameBytes = 64 << 20;
/** What the host accepts from the child in one frame; a larger one ends the child. */
export const maxReplyBytes = 4 << 20;
/** What the host accepts as the header of such a frame, UTF-16 units. */
export const maxReplyHeaderLength = 128 << 10;

const maxSegments = 256;
/** The three lengths that each frame has. */
const fixedLength = 12;

/** Encodes a frame. */
export function encodeFrame(header: object, segments: readonly string[] = []): Buffer {
  const json = JSON.stringify(header);
  const text = segments.length === 0 ? json : json + segments.join('');
  const at = fixedLength + 4 * segments.length;
  const frame = Buffer.allocUnsafe(at + Buffer.byteLength(text));
  frame.writeUInt32BE(frame.length - 4, 0);
  frame.writeUInt32BE(json.length, 4);
  frame.writeUInt32BE(segments.length, 8);
  for (let index = 0; index < segments.length; index++) frame.writeUInt32BE(segments[index]!.length, fixedLength + 4 * index);
  frame.write(text, at);
  return frame;
}

/** The frame's bytes are not what they should be. */
export class FrameError extends Error {
  readonly code = 'SANDBOX_PROTOCOL';
}

/**
 * Takes a stream apart into frames. Throws {@link FrameError} before it allocates more than `limit` for a frame, and for a header longer than
 * `headerLimit`, UTF-16 units.
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
  const lengths = fixedLength - 4;
  if (headerLength > headerLimit) throw new FrameError(`a header of ${headerLength} characters`);
  if (count > maxSegments) throw new FrameError(`${count} segments`);
  if (lengths + 4 * count > body.length) throw new FrameError('more segments than its frame has room for');
  const text = body.toString('utf8', lengths + 4 * count);
  let at = headerLength;
  const segments: string[] = [];
  for (let index = 0; index < count; index++) {
    const end = at + body.readUInt32BE(lengths + 4 * index);
    segments.push(text.slice(at, end));
    at = end;
  }
  if (at !== text.length) throw new FrameError('a frame that is longer or shorter than what is in it');
  return { header: parseHeader(text.slice(0, headerLength)) as Header, segments };
}

function parseHeader(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FrameError('a header that is no JSON');
  }
}
