/**
 * The calling side of a ttrpc connection: unary calls over one byte stream.
 */
import type { Duplex } from 'node:stream';
import { type Metadata, noMetadata, readResponse, writeRequest } from './envelope.ts';
import { createFrameReader, encodeFrame, type Frame, frameType, payloadLengthMax, setStreamId } from './frame.ts';
import { statusCode, TtrpcError } from './status.ts';

export type Call = {
  /** Full name, `package.Service`. */
  service: string;
  /** Bare name of the method. */
  method: string;
  /** The encoded request message. */
  payload: Uint8Array;
  /** Milliseconds to wait for the reply, told to the server and enforced here; without it the call waits as long as the stream lives. */
  timeoutMs?: number;
  metadata?: Metadata;
  /** Gives the call up: it rejects with Canceled. The server is not told, ttrpc has no message for that. */
  signal?: AbortSignal;
};

export type Client = {
  /** Sends a request; resolves to the encoded reply message, rejects with a {@link TtrpcError}. Any number of calls may be open at once. */
  call(call: Call): Promise<Uint8Array>;
  /** Ends the connection: open calls reject with Unavailable, and the stream is destroyed. */
  close(): void;
  /** Resolves, to the reason or to undefined for an orderly end, when no further call can succeed. Never rejects. */
  readonly closed: Promise<Error | undefined>;
};

/** A call is refused with ResourceExhausted while this many bytes wait for a peer that does not read. */
export const clientUnwrittenMax = 16 << 20;

const streamIdMax = 0xffff_ffff;
const timerMax = 0x7fff_ffff;

type Pending = { settle(outcome: Uint8Array | TtrpcError): void };

/** Takes the stream over: nobody else may read from it or write to it. Every message is one `write`. */
export function createClient(stream: Duplex): Client {
  const pending = new Map<number, Pending>();
  const reader = createFrameReader();
  const closed = Promise.withResolvers<Error | undefined>();
  let lastStreamId = -1;
  let unusable: TtrpcError | undefined;

  function shut(cause: Error | undefined): void {
    if (unusable) return;
    unusable = new TtrpcError(statusCode.Unavailable, cause ? `ttrpc: closed: ${cause.message}` : 'ttrpc: closed', { cause });
    for (const call of [...pending.values()]) call.settle(unusable);
    closed.resolve(cause);
  }

  function receive(frame: Frame): void {
    if (frame.type !== frameType.Response && frame.type !== frameType.Data) return;
    pending.get(frame.streamId)?.settle(outcomeOf(frame));
  }

  stream.on('data', (chunk: Uint8Array) => {
    reader.push(chunk);
    for (let frame = reader.next(); frame && !unusable; frame = reader.next()) receive(frame);
  });
  stream.on('error', shut);
  stream.on('end', () => {
    shut(reader.isPartial() ? new Error('the stream ended within a message') : undefined);
    stream.end();
  });
  stream.on('close', () => shut(undefined));

  function call({
    service,
    method,
    payload,
    timeoutMs = Number.POSITIVE_INFINITY,
    metadata = noMetadata,
    signal,
  }: Call): Promise<Uint8Array> {
    if (unusable) return Promise.reject(unusable);
    if (signal?.aborted) return Promise.reject(canceled(signal));
    if (!(timeoutMs > 0)) return Promise.reject(new TtrpcError(statusCode.DeadlineExceeded, `${method}: no time left (${timeoutMs} ms)`));
    if (stream.writableLength > clientUnwrittenMax)
      return Promise.reject(
        new TtrpcError(statusCode.ResourceExhausted, `${method}: the peer does not read, ${stream.writableLength} bytes wait`),
      );

    const timeoutNano = Number.isFinite(timeoutMs) ? Math.ceil(timeoutMs * 1e6) : 0;
    const frame = encodeFrame(frameType.Request, 0, writer => writeRequest(writer, { service, method, payload, timeoutNano, metadata }));
    if (!frame)
      return Promise.reject(
        new TtrpcError(statusCode.ResourceExhausted, `${method}: the request is longer than ${payloadLengthMax} bytes (${payload.length})`),
      );

    const streamId = lastStreamId + 2;
    if (streamId > streamIdMax)
      return Promise.reject(new TtrpcError(statusCode.Unavailable, 'ttrpc: stream ids are used up, connect anew'));
    lastStreamId = streamId;
    setStreamId(frame, streamId);

    return new Promise((resolve, reject) => {
      const timer = Number.isFinite(timeoutMs)
        ? setTimeout(
            () => settle(new TtrpcError(statusCode.DeadlineExceeded, `${method}: no reply within ${timeoutMs} ms`)),
            Math.min(timeoutMs, timerMax),
          )
        : undefined;
      const abort = () => settle(canceled(signal!));
      function settle(outcome: Uint8Array | TtrpcError): void {
        pending.delete(streamId);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        if (outcome instanceof TtrpcError) reject(outcome);
        else resolve(outcome);
      }
      signal?.addEventListener('abort', abort);
      pending.set(streamId, { settle });
      stream.write(frame);
    });
  }

  return {
    call,
    close() {
      shut(undefined);
      stream.destroy();
    },
    closed: closed.promise,
  };
}

function outcomeOf(frame: Frame): Uint8Array | TtrpcError {
  if (frame.payload === null)
    return new TtrpcError(statusCode.ResourceExhausted, `the reply is longer than ${payloadLengthMax} bytes (${frame.length})`);
  if (frame.type === frameType.Data)
    return new TtrpcError(statusCode.Internal, 'the peer streams its reply: only unary calls are supported');
  try {
    const { status, payload } = readResponse(frame.payload);
    return status ? new TtrpcError(status.code, status.message, { origin: 'remote' }) : payload;
  } catch (cause) {
    return new TtrpcError(statusCode.Internal, 'malformed reply', { cause });
  }
}

function canceled(signal: AbortSignal): TtrpcError {
  return new TtrpcError(statusCode.Canceled, 'the call was canceled', { cause: signal.reason });
}
