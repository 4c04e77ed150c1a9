/**
 * One connection's life as an NRI plugin, from registration to its end.
 *
 * States, in this order only:
 * - `registering`: serving already, as Configure may come before the registration's reply (fact C1);
 * - `synchronising`: Configure is answered; the runtime may take minutes to come with the node's state (fact C14);
 * - `serving`: Synchronize is answered, or the first event is here;
 * - `closed`: `closed` tells why.
 *
 * A runtime may drop a plugin and leave its socket open: such a session would look as if it served and get no event (fact C12). Nothing that a
 * plugin can ask tells it from one on an idle node: runtimes carry out UpdateContainers for a plugin that they dropped (seen in NRI's
 * adaptation, v0.6.1 to v0.12.2), and a second RegisterPlugin is answered too, but renames the first. So what leads there is kept from happening:
 * an answer to Configure or Synchronize that makes a runtime drop the plugin, as an error or by coming too late, ends the session from here; and the
 * updates of a Synchronize are sent with `ignoreFailure`, as one that CRI-O cannot carry out fails the plugin's registration.
 */
import type { Duplex } from 'node:stream';
import { createClient, type Metadata, type ServerRequest, serve, statusCode, TtrpcError } from '../ttrpc/index.ts';
import type { Codec } from './codec.ts';
import { NriError, type NriErrorCode, RefusalError } from './errors.ts';
import { type EventName, type EventRequest, type EventResponse, eventOfMethod, eventOfStateChange, methodOf } from './events.ts';
import type { ConfigureRequest, ContainerUpdate, MessageName, Messages, SynchronizeRequest, SynchronizeResponse } from './messages.ts';
import { createMux, pluginConnId, runtimeConnId } from './mux.ts';
import { createStallWatch, type StallWatch } from './stall-watch.ts';
import { createSyncCollector } from './sync-collector.ts';
import { createUpdateQueue } from './update-queue.ts';
import { eventMaskBase, runtimeAbilities, subscription } from './versions.ts';

export const pluginService = 'nri.pkg.api.v1alpha1.Plugin';
export const runtimeService = 'nri.pkg.api.v1alpha1.Runtime';

export type SessionState = 'registering' | 'synchronising' | 'serving' | 'closed';

/** What a handler may know of the call that it answers. */
export type CallContext = {
  /** When the request had been read from the stream, in `performance.now()` milliseconds. */
  readonly receivedAt: number;
  /** Until when the runtime waits, in `performance.now()` milliseconds; Infinity when it did not say. */
  readonly deadline: number;
  /** Trace context for example (fact B6). */
  readonly metadata: Metadata;
  /** Aborted at the deadline and when the connection ends. */
  readonly signal: AbortSignal;
};

/**
 * What the plugin does. Calls may overlap: a runtime that gave up on one event sends the next. An exception never becomes an error of the
 * runtime's operation: the runtime gets "no change", and onError the exception. A {@link RefusalError} is the one way to fail an event.
 */
export type PluginHandlers = {
  /** The wanted events' bits (events.ts). Those that the runtime does not know are left out; for 0 see `subscription`. */
  configure(request: ConfigureRequest, call: CallContext): Answer<{ events: number }>;
  /** All pods and containers, once per connection, however many messages they came in. */
  synchronize(
    request: Pick<SynchronizeRequest, 'pods' | 'containers'>,
    call: CallContext,
  ): Answer<Pick<SynchronizeResponse, 'update'> | undefined>;
  /** Every event, whether it came by its own method or by StateChange. Undefined is "no change". */
  event(name: EventName, request: EventRequest, call: CallContext): Answer<EventResponse | undefined>;
};

type Answer<Result> = Result | Promise<Result>;

export type PluginSessionOptions = {
  /** Connected to the runtime; the session owns it. */
  stream: Duplex;
  /** The plugin's name without its index. Ignored by the runtime for a plugin that it launched (fact C2). */
  name: string;
  /** Two digits: the plugin's place among the plugins. */
  index: string;
  codec: Codec;
  handlers: PluginHandlers;
  /**
   * How long to wait for the registration's reply, and then for Configure; default two minutes. Runtimes shake hands with one plugin at a time, so that a slow plugin ahead
   * delays it (fact C4).
   */
  registerTimeoutMs?: number;
  /** The most bytes of Synchronize messages that are collected; default 128 MiB. */
  synchronizeBytesMax?: number;
  onState?(state: SessionState): void;
  /** An exception of a handler or a callback, or an answer that could not be sent. `where` is the method's name. */
  onError?(error: unknown, where: string): void;
};

export type PluginSession = {
  readonly state: SessionState;
  /** Resolves to the reason when the session has ended. Never rejects. */
  readonly closed: Promise<NriError>;
  /**
   * Asks the runtime to update containers, unsolicited. Resolves to those that it could not update. Requests wait until no event is
   * being answered, and for each other (fact D7): a handler that awaits one waits for itself.
   */
  updateContainers(update: ContainerUpdate[]): Promise<ContainerUpdate[]>;
  close(): void;
};

export function openPluginSession(options: PluginSessionOptions): PluginSession {
  const { stream, name, index, codec, handlers, onState, onError } = options;
  const mux = createMux(stream);
  const server = serve(mux.open(pluginConnId), answer);
  const client = createClient(mux.open(runtimeConnId));
  const closed = Promise.withResolvers<NriError>();
  const collector = createSyncCollector(options.synchronizeBytesMax ?? 128 << 20);
  const updates = createUpdateQueue(sendUpdates);
  const registerTimeoutMs = options.registerTimeoutMs ?? 120_000;
  let configureTimer: NodeJS.Timeout | undefined;
  let stalls: StallWatch | undefined;
  let state: SessionState = 'registering';

  function enter(next: SessionState): void {
    if (state === 'closed' || state === next) return;
    state = next;
    clearTimeout(configureTimer);
    stalls?.stop();
    stalls = next === 'synchronising' ? createStallWatch() : undefined;
    try {
      onState?.(next);
    } catch (error) {
      report(error, 'onState');
    }
  }

  /** A fault of whoever is told of faults must not become the runtime's. */
  function report(error: unknown, where: string): void {
    try {
      onError?.(error, where);
    } catch {}
  }

  function end(reason: NriError): void {
    if (state === 'closed') return;
    enter('closed');
    updates.close(reason);
    server.close();
    client.close();
    mux.close();
    closed.resolve(reason);
  }

  mux.closed.then(cause => end(endReason(state, cause)));
  // The call is made when the runtime can reach the server already: fact C1.
  register().catch((error: unknown) => {
    if (error instanceof TtrpcError && error.code !== statusCode.Unavailable) end(registrationError(error, `${index}-${name}`));
  });

  async function register(): Promise<void> {
    await client.call({
      service: runtimeService,
      method: 'RegisterPlugin',
      payload: codec.encode('RegisterPluginRequest', { pluginName: name, pluginIdx: index }),
      timeoutMs: registerTimeoutMs,
    });
    if (state !== 'registering') return;
    const message = `the runtime took the registration of ${index}-${name} and never configured it: see the runtime's log`;
    configureTimer = setTimeout(() => end(new NriError('NRI_HANDSHAKE_FAILED', message)), registerTimeoutMs);
  }

  /** Ends the session when the answer at hand has left, which makes the runtime drop the plugin. */
  function leave(message: string): void {
    setImmediate(end, new NriError('NRI_HANDSHAKE_FAILED', message));
  }

  async function sendUpdates(update: ContainerUpdate[]): Promise<ContainerUpdate[]> {
    const payload = codec.encode('UpdateContainersRequest', { update });
    const reply = await client.call({ service: runtimeService, method: 'UpdateContainers', payload, timeoutMs: updateTimeoutMs });
    return codec.decode('UpdateContainersResponse', reply).failed ?? [];
  }

  function answer(request: ServerRequest): Uint8Array | Promise<Uint8Array> {
    const { service, method } = request;
    if (service !== pluginService) throw new TtrpcError(statusCode.Unimplemented, `no service ${service}`);
    switch (method) {
      case 'Configure':
        return answerConfigure(request);
      case 'Synchronize':
        return answerSynchronize(request);
      case 'Shutdown':
        return empty;
      case 'StateChange':
        return answerStateChange(request);
    }
    const event = eventOfMethod(method);
    if (!event) throw new TtrpcError(statusCode.Unimplemented, `no method ${method}`);
    return answerEvent(event, request, () => codec.decode(`${methodOf(event)}Request`, request.payload));
  }

  async function answerConfigure(call: ServerRequest): Promise<Uint8Array> {
    const request = decodeHandshake('ConfigureRequest', call);
    let wanted = eventMaskBase;
    try {
      wanted = (await handlers.configure(request, call)).events;
    } catch (error) {
      report(error, call.method);
    }
    const reply = codec.encode('ConfigureResponse', { events: subscription(wanted, runtimeAbilities(request)) });
    enter('synchronising');
    return reply;
  }

  async function answerSynchronize(call: ServerRequest): Promise<Uint8Array> {
    const until = call.deadline - (stalls?.waited() ?? 0);
    const state = collector.add(decodeHandshake('SynchronizeRequest', call), call.payload.length);
    if (state === 'more') {
      leaveIfLate(until);
      return codec.encode('SynchronizeResponse', { more: true });
    }
    if (state === 'too large') {
      const error = new NriError('NRI_SYNCHRONIZE_TOO_LARGE', "the node's pods and containers are more than this plugin accepts");
      setImmediate(end, error);
      throw new TtrpcError(statusCode.ResourceExhausted, error.message);
    }
    let update: ContainerUpdate[] = [];
    try {
      const wanted = (await handlers.synchronize(state, call))?.update ?? [];
      update = wanted.map(one => ({ ...one, ignoreFailure: true }));
    } catch (error) {
      report(error, call.method);
    }
    leaveIfLate(until);
    const reply = encodeOrEmpty('SynchronizeResponse', { update }, call.method);
    enter('serving');
    return reply;
  }

  function answerStateChange(call: ServerRequest): Uint8Array | Promise<Uint8Array> {
    let change: Messages['StateChangeEvent'];
    try {
      change = codec.decode('StateChangeEvent', call.payload);
    } catch (error) {
      report(error, call.method);
      return empty;
    }
    const { event: enumName, ...request } = change;
    const event = eventOfStateChange(enumName);
    return event ? answerEvent(event, call, () => request) : empty;
  }

  async function answerEvent(event: EventName, call: ServerRequest, decode: () => EventRequest): Promise<Uint8Array> {
    // containerd 1.7 sends a plugin that it launched no Synchronize: the first event says that it serves (seen with 1.7.24).
    if (state === 'synchronising') enter('serving');
    updates.hold();
    try {
      const response = await handlers.event(event, decode(), call);
      return response ? encodeOrEmpty(`${methodOf(event)}Response`, response, call.method) : empty;
    } catch (error) {
      if (error instanceof RefusalError) throw error;
      report(error, call.method);
      return empty;
    } finally {
      // The reply leaves before what waited for it (fact D7).
      setImmediate(updates.release);
    }
  }

  function leaveIfLate(until: number): void {
    const late = performance.now() - until;
    if (late > 0)
      leave(`the answer to Synchronize came ${Math.round(late)} ms after the runtime had given up: is this machine overloaded?`);
  }

  function decodeHandshake<Name extends MessageName>(name: Name, { payload }: ServerRequest): Messages[Name] {
    try {
      return codec.decode(name, payload);
    } catch (cause) {
      leave(`the runtime sent a malformed ${name}`);
      throw new TtrpcError(statusCode.InvalidArgument, `malformed ${name}`, { cause });
    }
  }

  /** An answer that does not fit or cannot be written would fail the runtime's operation (fact D4): "no change" goes instead. */
  function encodeOrEmpty<Name extends MessageName>(name: Name, response: Messages[Name], where: string): Uint8Array {
    try {
      const bytes = codec.encode(name, response);
      if (bytes.length <= answerLengthMax) return bytes;
      report(new NriError('NRI_ANSWER_UNUSABLE', `${name} is longer than a message may be (${bytes.length} bytes)`), where);
    } catch (cause) {
      report(new NriError('NRI_ANSWER_UNUSABLE', `${name} cannot be encoded`, cause), where);
    }
    return empty;
  }

  return {
    get state() {
      return state;
    },
    closed: closed.promise,
    updateContainers(update) {
      if (state !== 'serving')
        return Promise.reject(new NriError('NRI_NOT_SERVING', `updates can be sent while the session serves, it is ${state}`));
      return updates.add(update);
    },
    close: () => end(new NriError('NRI_CLOSED', 'the plugin closed the connection')),
  };
}

const empty = new Uint8Array(0);
const updateTimeoutMs = 10_000;
/** 4 MiB less the envelope. */
const answerLengthMax = (4 << 20) - 16;

function registrationError(error: TtrpcError, plugin: string): NriError {
  if (error.code === statusCode.DeadlineExceeded && error.origin === 'local')
    return new NriError(
      'NRI_REGISTRATION_TIMEOUT',
      `the runtime did not answer the registration of ${plugin}: is another plugin slow to start? See the runtime's log`,
      error,
    );
  return new NriError('NRI_REGISTRATION_REFUSED', `the runtime refuses plugin ${plugin}: ${error.message}`, error);
}

function endReason(state: SessionState, cause: Error | undefined): NriError {
  if (cause instanceof NriError) return cause;
  const [code, message]: [NriErrorCode, string] =
    state === 'serving'
      ? ['NRI_CLOSED', 'the runtime closed the connection']
      : ['NRI_HANDSHAKE_FAILED', `the runtime closed the connection while ${state}: see the runtime's log for this plugin's name`];
  return new NriError(code, cause ? `${message} (${cause.message})` : message, cause);
}
