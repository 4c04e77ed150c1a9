/**
 * Framing: `u32be length | u32be stream id | u8 type | u8 flags`, then `length` bytes (facts B1, B2).
 */
import protobuf from 'protobufjs/minimal.js';

/** Bytes before the payload of every message. */
export const headerLength = 10;

/** The longest payload of a message, the header not counted: 4 MiB. */
export const payloadLengthMax = 4 << 20;

export const frameType = { Request: 1, Response: 2, Data: 3 } as const;

export const frameFlag = { RemoteClosed: 1, RemoteOpen: 2, NoData: 4 } as const;

export type Frame = {
  streamId: number;
  /** One of {@link frameType}; a receiver ignores others. */
  type: number;
  flags: number;
  /** The payload's length as the header tells it. */
  length: number;
  /**
   * The bytes; null when the declared length is beyond the reader's maximum, and the bytes were thrown away as they came.
   * A view of what was pushed where that was possible.
   */
  payload: Uint8Array | null;
};

/**
 * Cuts a byte stream into frames, however the stream was split or coalesced.
 *
 * Pulling, not pushing: a consumer that has enough for now stops calling `next` and stops the stream. Memory is allocated for one payload
 * at a time, and only after its declared length was found to be in bounds.
 */
export type FrameReader = {
  /** Takes bytes, without a copy: they must not change afterwards. */
  push(chunk: Uint8Array): void;
  /** The next complete frame, or undefined until more bytes are pushed. */
  next(): Frame | undefined;
  /** True when the bytes so far end within a frame. */
  isPartial(): boolean;
};

export function createFrameReader(lengthMax: number = payloadLengthMax): FrameReader {
  const chunks: Uint8Array[] = [];
  let chunk: Uint8Array = empty;
  let offset = 0;

  const header = Buffer.alloc(headerLength);
  let headerFilled = 0;
  let length = 0;
  let body: Buffer | null = null;
  let bodyFilled = 0;

  function finish(payload: Uint8Array | null): Frame {
    headerFilled = 0;
    bodyFilled = 0;
    body = null;
    return { streamId: header.readUInt32BE(4), type: header[8]!, flags: header[9]!, length, payload };
  }

  function next(): Frame | undefined {
    for (;;) {
      if (headerFilled === headerLength && length === 0) return finish(empty);
      if (offset === chunk.length) {
        const following = chunks.shift();
        chunk = following ?? empty;
        offset = 0;
        if (!following) return undefined;
        continue;
      }
      const available = chunk.length - offset;
      if (headerFilled < headerLength) {
        const taken = Math.min(headerLength - headerFilled, available);
        header.set(chunk.subarray(offset, offset + taken), headerFilled);
        headerFilled += taken;
        offset += taken;
        if (headerFilled === headerLength) length = header.readUInt32BE(0);
        continue;
      }
      const taken = Math.min(length - bodyFilled, available);
      const bytes = chunk.subarray(offset, offset + taken);
      offset += taken;
      if (length <= lengthMax) {
        if (taken === length) return finish(bytes);
        body ??= Buffer.allocUnsafe(length);
        body.set(bytes, bodyFilled);
      }
      bodyFilled += taken;
      if (bodyFilled === length) return finish(body);
    }
  }

  return {
    push: bytes => {
      chunks.push(bytes);
    },
    next,
    isPartial: () => headerFilled > 0 || offset < chunk.length || chunks.some(rest => rest.length > 0),
  };
}

/**
 * One frame as one piece of memory. `write` writes the payload with protobufjs' writer.
 * Returns null, before it allocates, when the payload would be longer than 4 MiB.
 */
export function encodeFrame(type: number, flags: number, write: (writer: protobuf.Writer) => void): Uint8Array | null {
  const writer = protobuf.Writer.create().fixed32(0).fixed32(0).bool(false).bool(false);
  write(writer);
  const length = writer.len - headerLength;
  if (length > payloadLengthMax) return null;
  const frame = writer.finish();
  putUint32(frame, 0, length);
  frame[8] = type;
  frame[9] = flags;
  return frame;
}

/** Sets the stream id of an encoded frame: it is known only when the frame is about to be sent. */
export function setStreamId(frame: Uint8Array, streamId: number): void {
  putUint32(frame, 4, streamId);
}

const empty = new Uint8Array(0);

function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
