/**
 * The answering side of a ttrpc connection: unary calls over one byte stream.
 */
import type { Duplex } from 'node:stream';
import { type Metadata, type RequestEnvelope, type ResponseEnvelope, readRequest, writeResponse } from './envelope.ts';
import { createFrameReader, encodeFrame, type Frame, frameFlag, frameType, payloadLengthMax, setStreamId } from './frame.ts';
import { messageOf, type Status, type StatusName, statusCode, TtrpcError } from './status.ts';

/** A call as a handler sees it. */
export type ServerRequest = {
  readonly service: string;
  readonly method: string;
  /** The encoded request message. */
  readonly payload: Uint8Array;
  /** Nanoseconds that the caller said it waits; 0 when it did not say. */
  readonly timeoutNano: number;
  /** When the request had been read from the stream, in `performance.now()` milliseconds. */
  readonly receivedAt: number;
  /** `receivedAt` plus the timeout, Infinity without one. A later reply is sent all the same; the caller ignores it. */
  readonly deadline: number;
  readonly metadata: Metadata;
  /** Aborted at the deadline and when the connection ends. Made when it is first asked for. */
  readonly signal: AbortSignal;
};

/**
 * Answers a call with the encoded reply message. A {@link TtrpcError} that it throws becomes the reply's status, anything else Unknown with the
 * error's message.
 */
export type Handler = (request: ServerRequest) => Uint8Array | Promise<Uint8Array>;

export type ServerLimits = {
  /** Requests handled at once; further ones wait in the stream. Default 64. */
  concurrent?: number;
  /** While this many bytes wait for a peer that does not read, no further request is taken. Default 8 MiB. */
  unwritten?: number;
};

export type Server = {
  /** Ends the connection: aborts the signals of open requests and destroys the stream. */
  close(): void;
  /** Resolves, to the reason or to undefined for an orderly end, when no further request comes. Never rejects. */
  readonly closed: Promise<Error | undefined>;
};

const messageLengthMax = 16 << 10;
const timerMax = 0x7fff_ffff;

type OpenRequest = { request: ServerRequest; end(reason?: TtrpcError): void };

/** Takes the stream over: nobody else may read from it or write to it. Every reply is one `write`. */
export function serve(stream: Duplex, handler: Handler, limits: ServerLimits = {}): Server {
  const { concurrent = 64, unwritten = 8 << 20 } = limits;
  const open = new Set<OpenRequest>();
  const reader = createFrameReader();
  const closed = Promise.withResolvers<Error | undefined>();
  let isClosed = false;
  let isDraining = false;
  let lastStreamId = 0;
  let arrivedAt = 0;

  /** Takes requests until the bytes or the limits are used up. The stream flows exactly while there is room. */
  function drain(): void {
    if (isDraining) return;
    isDraining = true;
    while (!isClosed) {
      if (open.size >= concurrent || stream.writableLength >= unwritten) {
        stream.pause();
        break;
      }
      const frame = reader.next();
      if (!frame) {
        if (stream.isPaused()) stream.resume();
        break;
      }
      accept(frame);
    }
    isDraining = false;
  }

  function accept(frame: Frame): void {
    const admitted = admit(frame, lastStreamId);
    if (!admitted) return;
    if (frame.type === frameType.Request && frame.streamId % 2 === 1) lastStreamId = Math.max(lastStreamId, frame.streamId);
    if ('code' in admitted) respond(frame.streamId, { status: admitted, payload: noPayload });
    else handle(frame.streamId, openRequest(admitted, arrivedAt));
  }

  function handle(streamId: number, current: OpenRequest): void {
    const finish = (response: ResponseEnvelope) => {
      current.end();
      open.delete(current);
      respond(streamId, response);
    };
    open.add(current);
    let result: ReturnType<Handler>;
    try {
      result = handler(current.request);
    } catch (error) {
      finish(failure(error));
      return;
    }
    if (result instanceof Uint8Array) {
      finish(success(result));
      return;
    }
    Promise.resolve(result)
      .then(success, failure)
      .then(response => {
        finish(response);
        drain();
      });
  }

  function respond(streamId: number, response: ResponseEnvelope): void {
    if (isClosed) return;
    const frame =
      encodeFrame(frameType.Response, 0, writer => writeResponse(writer, response)) ??
      encodeFrame(frameType.Response, 0, writer => writeResponse(writer, tooLong(response)))!;
    setStreamId(frame, streamId);
    stream.write(frame, drain);
  }

  function shut(cause: Error | undefined): void {
    if (isClosed) return;
    isClosed = true;
    const reason = new TtrpcError(statusCode.Canceled, 'ttrpc: closed', { cause });
    for (const { end } of open) end(reason);
    open.clear();
    closed.resolve(cause);
  }

  stream.on('data', (chunk: Uint8Array) => {
    arrivedAt = performance.now();
    reader.push(chunk);
    drain();
  });
  stream.on('error', shut);
  stream.on('end', () => {
    shut(reader.isPartial() ? new Error('the stream ended within a message') : undefined);
    stream.end();
  });
  stream.on('close', () => shut(undefined));

  return {
    close() {
      shut(undefined);
      stream.destroy();
    },
    closed: closed.promise,
  };
}

const noPayload = new Uint8Array(0);

/** What a frame asks for: a request, the status that refuses it, or nothing (fact B3; unknown types are for later protocols). */
function admit({ streamId, type, flags, length, payload }: Frame, lastStreamId: number): RequestEnvelope | Status | undefined {
  if (payload === null) return refusal('ResourceExhausted', `message of ${length} bytes, at most ${payloadLengthMax} are accepted`);
  if (type !== frameType.Request && type !== frameType.Data) return undefined;
  if (streamId % 2 !== 1) return refusal('InvalidArgument', `stream id ${streamId} is even: a client's must be odd`);
  if (type === frameType.Data) return refusal('InvalidArgument', `stream ${streamId} is not open for data`);
  if (streamId <= lastStreamId) return refusal('InvalidArgument', `stream id ${streamId} after ${lastStreamId}: ids must increase`);
  if (flags & frameFlag.RemoteOpen) return refusal('Unimplemented', 'streaming is not supported');
  try {
    return readRequest(payload);
  } catch (cause) {
    return refusal('InvalidArgument', `malformed request: ${messageOf(cause)}`);
  }
}

function refusal(name: StatusName, message: string): Status {
  return { code: statusCode[name], message };
}

function openRequest(envelope: RequestEnvelope, receivedAt: number): OpenRequest {
  const deadline = envelope.timeoutNano === 0 ? Number.POSITIVE_INFINITY : receivedAt + envelope.timeoutNano / 1e6;
  let controller: AbortController | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ended: TtrpcError | true | undefined;

  function signal(): AbortSignal {
    if (controller) return controller.signal;
    controller = new AbortController();
    if (ended instanceof TtrpcError) controller.abort(ended);
    else if (!ended && deadline !== Number.POSITIVE_INFINITY) {
      const expire = () => controller!.abort(new TtrpcError(statusCode.DeadlineExceeded, 'the caller waits no longer'));
      timer = setTimeout(expire, Math.min(Math.max(deadline - performance.now(), 0), timerMax));
      timer.unref();
    }
    return controller.signal;
  }

  return {
    request: {
      ...envelope,
      receivedAt,
      deadline,
      get signal() {
        return signal();
      },
    },
    end(reason) {
      ended = reason ?? true;
      clearTimeout(timer);
      if (reason) controller?.abort(reason);
    },
  };
}

function success(payload: unknown): ResponseEnvelope {
  if (payload instanceof Uint8Array) return { payload };
  return { status: { code: statusCode.Internal, message: 'the handler returned no bytes' }, payload: noPayload };
}

function failure(error: unknown): ResponseEnvelope {
  const code = error instanceof TtrpcError && error.code !== statusCode.OK ? error.code : statusCode.Unknown;
  return { status: { code, message: messageOf(error).slice(0, messageLengthMax) }, payload: noPayload };
}

function tooLong({ payload }: ResponseEnvelope): ResponseEnvelope {
  const message = `the reply is longer than ${payloadLengthMax} bytes (${payload.length})`;
  return { status: { code: statusCode.ResourceExhausted, message }, payload: noPayload };
}
