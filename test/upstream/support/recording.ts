/** What goes over a plugin's connection: a proxy that keeps it, and the messages that it is made of. */
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import type { MessageName } from '../../../src/nri/index.ts';
import { readRequest, readResponse } from '../../../src/ttrpc/envelope.ts';
import { createFrameReader } from '../../../src/ttrpc/frame.ts';
import { type Cleanup, temporaryFolder } from './cleanup.ts';

export type Recording = { toPlugin: Buffer; toRuntime: Buffer };

/** Listens at `socketPath` for one plugin and passes it on to a runtime. */
export async function recordingProxy(cleanup: Cleanup, runtimePath: string): Promise<{ socketPath: string; recorded(): Recording }> {
  const socketPath = join(temporaryFolder(cleanup), 'proxy.sock');
  const chunks = { toPlugin: [] as Buffer[], toRuntime: [] as Buffer[] };
  const server = createServer(plugin => {
    const runtime = connect(runtimePath);
    for (const [from, to, kept] of [
      [plugin, runtime, chunks.toRuntime],
      [runtime, plugin, chunks.toPlugin],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        kept.push(chunk);
        to.write(chunk);
      });
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
  });
  await new Promise<void>(resolve => server.listen(socketPath, resolve));
  cleanup(() => void server.close());
  return { socketPath, recorded: () => ({ toPlugin: Buffer.concat(chunks.toPlugin), toRuntime: Buffer.concat(chunks.toRuntime) }) };
}

export type WireMessage = {
  connId: number;
  streamId: number;
  type: 'request' | 'response';
  /** The envelope's bytes. */
  bytes: Uint8Array;
  /** The method's name; of a response, that of the request that it answers. */
  method: string;
  payload: Uint8Array;
  /** A response's error. */
  error?: string;
  /** Where it ends in the recording. */
  end: number;
};

/** The messages of one direction; `asked` are the other direction's, for the methods of responses. */
export function messagesOf(bytes: Buffer, asked: readonly WireMessage[] = []): WireMessage[] {
  const readers = new Map<number, ReturnType<typeof createFrameReader>>();
  const messages: WireMessage[] = [];
  for (let at = 0; at < bytes.length; ) {
    const connId = bytes.readUInt32BE(at);
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    const reader = readers.get(connId) ?? createFrameReader();
    readers.set(connId, reader);
    reader.push(bytes.subarray(at + 8, end));
    for (let frame = reader.next(); frame; frame = reader.next()) {
      const { streamId, payload } = frame;
      if (frame.type === 1) {
        const { method, payload: inner } = readRequest(payload!);
        messages.push({ connId, streamId, type: 'request', bytes: payload!, method, payload: inner, end });
      } else {
        const { status, payload: inner } = readResponse(payload!);
        const method = asked.find(each => each.connId === connId && each.streamId === streamId && each.type === 'request')?.method ?? '';
        const error = status && { error: status.message };
        messages.push({ connId, streamId, type: 'response', bytes: payload!, method, payload: inner, end, ...error });
      }
    }
    at = end;
  }
  return messages;
}

/** The name of a message's type. */
export function typeOf({ method, type }: WireMessage): MessageName {
  if (method === 'StateChange') return type === 'request' ? 'StateChangeEvent' : 'Empty';
  if (method === 'RegisterPlugin' && type === 'response') return 'Empty';
  return `${method}${type === 'request' ? 'Request' : 'Response'}` as MessageName;
}

/** A stream whose other end is this test: what comes in is fed, what goes out is kept. */
export function replayStream(): { stream: Duplex; feed(bytes: Buffer, cut: Cut): Promise<void>; written(): Buffer } {
  const written: Buffer[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  return {
    stream,
    async feed(bytes, cut) {
      let pieces = 0;
      for (const piece of cut(bytes)) {
        stream.push(piece);
        if (++pieces % 500 === 0) await new Promise(resolve => setImmediate(resolve));
      }
    },
    written: () => Buffer.concat(written),
  };
}

/** How a stream comes in pieces. */
export type Cut = (bytes: Buffer) => Iterable<Buffer>;

export const whole: Cut = bytes => [bytes];

export function* byteByByte(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

/** Random pieces, small ones more often than large ones; the same for the same seed. */
export function randomly(seed: number): Cut {
  let state = seed >>> 0;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return function* (bytes) {
    for (let at = 0; at < bytes.length; ) {
      const length = 1 + Math.floor(2 ** (random() * 13));
      yield bytes.subarray(at, at + length);
      at += length;
    }
  };
}
