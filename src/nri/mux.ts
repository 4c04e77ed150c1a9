/**
 * NRI's multiplexer: several byte streams over one, each frame `u32be connection id | u32be length | bytes` (facts A4 to A10).
 *
 * Reading: a frame's bytes go to their channel as they come; nothing is held back to complete a frame. A channel that is not read
 * stops the whole trunk once 1 MiB waits in it, as there is no flow control per channel: so a reader of one channel must not wait for another
 * channel while it leaves its own unread. The peer then sees a full socket; nothing is lost.
 *
 * Writing: the frames of one write are never interleaved with other writes', and two writes never share a frame. A Go reader dies of a
 * frame that is longer than the buffer that it offers (fact A7): one ttrpc message per write is what keeps it alive.
 */
import { Duplex } from 'node:stream';
import { NriError } from './errors.ts';

/** The connection on which the plugin serves and the runtime calls. */
export const pluginConnId = 1;
/** The connection on which the runtime serves and the plugin calls. */
export const runtimeConnId = 2;

/** The longest frame that is accepted: what NRI up to 0.6.1 may write (fact A5). */
export const frameLengthMax = (1 << 24) + 10;

/**
 * How a write becomes frames. Up to 4096 bytes it is one frame. More: `header-first` sends the 10 bytes of ttrpc's header and then the rest,
 * `go` sends 4096 bytes and then the rest, as Go's writer does (fact A6). A Go reader survives both.
 */
export type FrameLayout = 'header-first' | 'go';

/** Is told of each frame that comes in, then of its bytes. An error that it returns ends the trunk. */
export type FrameObserver = {
  frame(connId: number, length: number): NriError | undefined;
  bytes(connId: number, bytes: Uint8Array): void;
};

export type MuxOptions = { layout?: FrameLayout; observer?: FrameObserver };

export type Mux = {
  /**
   * A channel. Open those that the peer may write to in the turn in which the mux is made: frames for a connection id that is not open are
   * dropped. Ending a channel tells the peer nothing; destroying it makes its frames be dropped.
   */
  open(connId: number): Duplex;
  /** Ends the trunk once what was written is out, or after a second. */
  close(): void;
  /** Resolves, to the reason or to undefined for an orderly end, when the trunk has ended. Never rejects. */
  readonly closed: Promise<Error | undefined>;
};

/** Takes the trunk over: nobody else may read from it or write to it. */
export function createMux(trunk: Duplex, { layout = 'header-first', observer }: MuxOptions = {}): Mux {
  const channels = new Map<number, Duplex>();
  const unread = new Set<Duplex>();
  const unwritten: Array<(error?: Error) => void> = [];
  const closed = Promise.withResolvers<Error | undefined>();
  let isClosed = false;

  const header = Buffer.alloc(frameHeaderLength);
  let headerFilled = 0;
  let connId = 0;
  let remaining = 0;

  function receive(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length && !isClosed) {
      if (remaining > 0) {
        const piece = chunk.subarray(offset, offset + remaining);
        offset += piece.length;
        remaining -= piece.length;
        observer?.bytes(connId, piece);
        deliver(channels.get(connId), piece);
        continue;
      }
      const taken = Math.min(frameHeaderLength - headerFilled, chunk.length - offset);
      chunk.copy(header, headerFilled, offset, offset + taken);
      offset += taken;
      headerFilled += taken;
      if (headerFilled < frameHeaderLength) return;
      headerFilled = 0;
      connId = header.readUInt32BE(0);
      remaining = header.readUInt32BE(4);
      const fault = remaining > frameLengthMax ? frameTooLong(connId, remaining) : observer?.frame(connId, remaining);
      if (fault) {
        shut(fault);
        trunk.destroy(fault);
      }
    }
  }

  function deliver(channel: Duplex | undefined, piece: Buffer): void {
    if (!channel || channel.push(piece)) return;
    unread.add(channel);
    trunk.pause();
  }

  function wanted(channel: Duplex): void {
    if (unread.delete(channel) && unread.size === 0) trunk.resume();
  }

  function write(id: number, message: Uint8Array, done: (error?: Error) => void): void {
    if (isClosed) {
      done(connectionEnded());
      return;
    }
    const pieces = encodeFrames(id, message, layout);
    if (pieces.length > 1) trunk.cork();
    for (const piece of pieces) trunk.write(piece);
    if (pieces.length > 1) trunk.uncork();
    if (trunk.writableNeedDrain) unwritten.push(done);
    else done();
  }

  function written(error?: Error): void {
    for (const done of unwritten.splice(0)) done(error);
  }

  function shut(reason: Error | undefined): void {
    if (isClosed) return;
    isClosed = true;
    closed.resolve(reason);
    written(reason ?? connectionEnded());
    for (const channel of channels.values()) {
      if (reason) channel.destroy(reason);
      else channel.push(null);
    }
    channels.clear();
  }

  trunk.on('data', receive);
  trunk.on('drain', () => written());
  trunk.on('error', shut);
  trunk.on('end', () => {
    shut(headerFilled > 0 || remaining > 0 ? new NriError('NRI_PROTOCOL', 'the NRI connection ended within a frame') : undefined);
    trunk.end();
  });
  trunk.on('close', () => shut(undefined));

  return {
    open(id) {
      if (channels.has(id)) throw new RangeError(`connection ${id} is open already`);
      const channel: Duplex = new Duplex({
        readableHighWaterMark: unreadMax,
        read: () => wanted(channel),
        write: (message: Buffer, _encoding, done) => write(id, message, done),
        destroy: (error, done) => {
          if (channels.get(id) === channel) channels.delete(id);
          wanted(channel);
          done(error);
        },
      });
      channel.on('error', () => {});
      if (isClosed) channel.destroy();
      else channels.set(id, channel);
      return channel;
    },
    close() {
      if (trunk.writableLength === 0) {
        trunk.destroy();
        return;
      }
      const timer = setTimeout(() => trunk.destroy(), closeTimeoutMs);
      trunk.end(() => trunk.destroy());
      trunk.once('close', () => clearTimeout(timer));
    },
    closed: closed.promise,
  };
}

const frameHeaderLength = 8;
const messageHeaderLength = 10;
const goBufferLength = 4096;
const writtenLengthMax = messageHeaderLength + (4 << 20);
const unreadMax = 1 << 20;
const closeTimeoutMs = 1000;

/** The pieces to write for one message; small ones in one piece, large ones without a copy of their bulk. */
function encodeFrames(connId: number, message: Uint8Array, layout: FrameLayout): Uint8Array[] {
  if (message.length <= goBufferLength) return [encodeFrame(connId, message, message.length)];
  const first = layout === 'go' ? goBufferLength : messageHeaderLength;
  const pieces: Uint8Array[] = [encodeFrame(connId, message.subarray(0, first), first)];
  for (let at = first; at < message.length; at += writtenLengthMax) {
    const body = message.subarray(at, at + writtenLengthMax);
    pieces.push(encodeFrame(connId, noBytes, body.length), body);
  }
  return pieces;
}

const noBytes = new Uint8Array(0);

function encodeFrame(connId: number, bytes: Uint8Array, length: number): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderLength + bytes.length);
  frame.writeUInt32BE(connId, 0);
  frame.writeUInt32BE(length, 4);
  frame.set(bytes, frameHeaderLength);
  return frame;
}

function connectionEnded(): NriError {
  return new NriError('NRI_CLOSED', 'the NRI connection has ended');
}

function frameTooLong(connId: number, length: number): NriError {
  return new NriError('NRI_PROTOCOL', `a frame of ${length} bytes for connection ${connId}: is the peer an NRI runtime?`);
}
