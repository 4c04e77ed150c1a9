/**
 * What Go's reading side does to the frames that it gets (facts A7 to A9), as a {@link FrameObserver}: with it a mux dies where a Go runtime's
 * connection would die, so that tests can prove that a plugin's writing is safe.
 *
 * ttrpc reads through a buffer of 4096 bytes. A read that needs less than that offers the buffer, a read that needs more offers exactly what
 * it needs; a frame that does not fit in what is offered is an error. And 256 frames may wait: here a message of more frames is taken
 * to overrun that queue, as if the reader came to its turn only when the message was complete.
 */
import { NriError } from './errors.ts';
import type { FrameObserver } from './mux.ts';

const bufferLength = 4096;
const queueLength = 256;
const headerLength = 10;
const payloadLengthMax = 4 << 20;

type ReaderState = { header: number[]; body: number; oversized: boolean; frames: number };

export function createGoReader(): FrameObserver {
  const readers = new Map<number, ReaderState>();
  const readerOf = (connId: number): ReaderState => {
    let reader = readers.get(connId);
    if (!reader) {
      reader = { header: [], body: 0, oversized: false, frames: 0 };
      readers.set(connId, reader);
    }
    return reader;
  };
  return {
    frame(connId, length) {
      const reader = readerOf(connId);
      const offered = reader.oversized ? bufferLength : Math.max(reader.body, bufferLength);
      if (length > offered)
        return new NriError(
          'NRI_PLUGIN_MISBEHAVED',
          `cannot allocate memory: a frame of ${length} bytes where Go's reader offers ${offered}`,
        );
      reader.frames++;
      if (reader.frames > queueLength)
        return new NriError('NRI_PLUGIN_MISBEHAVED', `failed to queue payload for reading: a message in more than ${queueLength} frames`);
      return undefined;
    },
    bytes(connId, bytes) {
      const reader = readerOf(connId);
      for (let at = 0; at < bytes.length; ) {
        if (reader.header.length < headerLength) {
          reader.header.push(bytes[at++]!);
          if (reader.header.length === headerLength) {
            reader.body = Buffer.from(reader.header).readUInt32BE(0);
            reader.oversized = reader.body > payloadLengthMax;
          }
        } else {
          const taken = Math.min(reader.body, bytes.length - at);
          reader.body -= taken;
          at += taken;
        }
        if (reader.header.length === headerLength && reader.body === 0)
          readers.set(connId, Object.assign(reader, { header: [], oversized: false, frames: 0 }));
      }
    },
  };
}
