/** The host's side of a sandbox process' replies: read when there is a reason to, and not whenever something comes in. */
import { readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { checkReply } from './check-reply.ts';
import { type Frame, FrameError, FrameReader, maxReplyBytes, maxReplyHeaderLength } from './frame.ts';
import type { Reply } from './protocol.ts';

export type Inlet = {
  /** Reads all that is there. Throws on what is not the protocol. */
  read(): void;
  /** Nothing is read or told after this. */
  close(): void;
};

/**
 * Reads that bring no whole frame cost the host time that the process does not pay for. The largest frame takes some 130, and the host itself looks
 * forty times a second while the process works, which it may do for half a minute.
 */
const maxVain = 4000;

/**
 * `socket` is to be read by nobody else. A stream wakes the host up for all that comes in; so what comes in is left to the kernel, and read from
 * the descriptor. Node has no public way for either: where its private one is gone this reads as streams do, which is right and slower.
 */
export function createInlet(socket: Socket, onFrame: (frame: Frame<Reply>) => void, onData: () => void): Inlet {
  const incoming = new FrameReader<unknown>(maxReplyBytes, maxReplyHeaderLength);
  const chunk = Buffer.allocUnsafe(64 << 10);
  const fd = quietDescriptor(socket);
  let vain = 0;
  let isClosed = false;
  let isReading = false;
  if (fd === undefined) {
    socket.on('data', (bytes: Buffer) => {
      incoming.push(bytes);
      onData();
    });
  }

  /** Bytes read into the chunk; 0 when there are none, now or for ever. */
  function take(): number {
    if (fd === undefined) return 0;
    try {
      return readSync(fd, chunk, 0, chunk.length, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
      throw error;
    }
  }

  return {
    read() {
      if (isReading || isClosed) return;
      isReading = true;
      try {
        let length: number;
        do {
          length = take();
          if (length > 0) incoming.push(Buffer.from(chunk.subarray(0, length)));
          for (let frame = incoming.next(); frame && !isClosed; frame = incoming.next()) {
            vain = 0;
            onFrame(checkReply(frame));
          }
        } while (length === chunk.length && !isClosed);
        vain += 1;
        if (vain > maxVain) throw new FrameError('bells with no frame behind them');
      } finally {
        isReading = false;
      }
    },
    close() {
      isClosed = true;
    },
  };
}

/** Stops the stream from reading. Undefined where that is not possible. */
function quietDescriptor(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: number; reading?: boolean; readStop?(): number } };
  if (handle?.fd === undefined || handle.fd < 0 || handle.readStop?.() !== 0) return undefined;
  handle.reading = false;
  return handle.fd;
}
