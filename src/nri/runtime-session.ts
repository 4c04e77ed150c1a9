/**
 * The runtime's side of one plugin connection, as NRI's adaptation does it: for an embedded runtime and for tests.
 *
 * The order of a life: `registered` resolves, then `configure`, `synchronize`, then `send` for every event that `events` has.
 * A call that fails in a way that NRI holds to be fatal (fact D3: no answer in time, a broken connection) ends the session.
 */
import type { Duplex } from 'node:stream';
import { createClient, serve, statusCode, TtrpcError } from '../ttrpc/index.ts';
import type { Codec } from './codec.ts';
import { NriError } from './errors.ts';
import { type EventName, type EventRequest, type EventResponse, enumNameOf, eventBit, isStateChange, methodOf } from './events.ts';
import { createGoReader } from './go-reader.ts';
import type {
  ConfigureRequest,
  Container,
  ContainerUpdate,
  Empty,
  MessageName,
  Messages,
  PodSandbox,
  RegisterPluginRequest,
} from './messages.ts';
import { createMux, type FrameLayout, pluginConnId, runtimeConnId } from './mux.ts';
import { pluginService, runtimeService } from './plugin-session.ts';
import { eventMaskBase, runtimeAbilities } from './versions.ts';

export type RuntimeSessionOptions = {
  /** Connected to the plugin; the session owns it. */
  stream: Duplex;
  codec: Codec;
  /** How long to wait for RegisterPlugin; default 5 s (fact C3). */
  registrationTimeoutMs?: number;
  /** How long one call may take, and how long all of a Synchronize may; default 2 s (facts D2, C12). */
  requestTimeoutMs?: number;
  /** Answers unsolicited updates with those that failed. Default: all succeed. */
  onUpdateContainers?(update: ContainerUpdate[]): ContainerUpdate[] | Promise<ContainerUpdate[]>;
  /**
   * How pod and container events without an answer are delivered: by their own methods, or by StateChange as NRI before 0.12 does (fact D8).
   * Own methods are given up for good when the plugin does not have one.
   */
  delivery?: 'dedicated' | 'state-change';
  /** Default `go`, as a runtime writes. */
  layout?: FrameLayout;
  /** Dies of what a Go runtime would die of (go-reader.ts); default true. */
  strict?: boolean;
  /** The longest Synchronize message that is sent in one piece; default 4 MiB less the envelope. For tests of chunks. */
  synchronizeBytesMax?: number;
};

export type RuntimeSession = {
  /** The plugin's registration. Rejects when none comes. */
  readonly registered: Promise<RegisterPluginRequest>;
  /** The mask that the plugin subscribed with; 0 before `configure`. */
  readonly events: number;
  /** Resolves to the reason when the session has ended. Never rejects. */
  readonly closed: Promise<NriError>;
  /** Configures the plugin and takes its subscription. The session's own timeouts stand in for those that are absent. */
  configure(request: Partial<ConfigureRequest>): Promise<void>;
  /** Sends the state, in chunks where it must (fact C11); resolves to the plugin's updates. */
  synchronize(pods: PodSandbox[], containers: Container[]): Promise<ContainerUpdate[]>;
  /** Sends an event, whether it is subscribed or not, and resolves to the answer. `timeoutMs` replaces the session's for this call. */
  send<Name extends EventName>(name: Name, request: EventRequest<Name>, timeoutMs?: number): Promise<EventResponse>;
  /** True when the plugin subscribed to this event. */
  isSubscribed(name: EventName): boolean;
  /** Calls any method of the plugin with any payload: for tests of what no runtime does. */
  callRaw(method: string, payload: Uint8Array, timeoutMs?: number): Promise<Uint8Array>;
  shutdown(): Promise<Empty>;
  close(): void;
};

export function openRuntimeSession(options: RuntimeSessionOptions): RuntimeSession {
  const { stream, codec, registrationTimeoutMs = 5000, requestTimeoutMs = 2000, layout = 'go', strict = true } = options;
  const mux = createMux(stream, { layout, ...(strict ? { observer: createGoReader() } : {}) });
  const client = createClient(mux.open(pluginConnId));
  serve(mux.open(runtimeConnId), answer);
  const registered = Promise.withResolvers<RegisterPluginRequest>();
  const closed = Promise.withResolvers<NriError>();
  let delivery = options.delivery ?? 'dedicated';
  let events = 0;
  let reason: NriError | undefined;

  registered.promise.catch(() => {});
  const registrationTimer = setTimeout(
    () => end(new NriError('NRI_REGISTRATION_TIMEOUT', `no plugin registered within ${registrationTimeoutMs} ms`)),
    registrationTimeoutMs,
  );
  mux.closed.then(cause => {
    if (cause instanceof NriError) end(cause);
    else end(new NriError('NRI_CLOSED', `the plugin closed the connection${cause ? ` (${cause.message})` : ''}`, cause));
  });

  function end(cause: NriError): void {
    if (reason) return;
    reason = cause;
    clearTimeout(registrationTimer);
    registered.reject(cause);
    client.close();
    mux.close();
    closed.resolve(cause);
  }

  async function answer({ service, method, payload }: { service: string; method: string; payload: Uint8Array }): Promise<Uint8Array> {
    if (service !== runtimeService) throw new TtrpcError(statusCode.Unimplemented, `no service ${service}`);
    if (method === 'RegisterPlugin') {
      clearTimeout(registrationTimer);
      const request = codec.decode('RegisterPluginRequest', payload);
      const fault = registrationFault(request);
      if (fault) {
        setImmediate(end, fault);
        throw fault;
      }
      registered.resolve(request);
      return codec.encode('Empty', {});
    }
    if (method === 'UpdateContainers') {
      const { update = [] } = codec.decode('UpdateContainersRequest', payload);
      const failed = (await options.onUpdateContainers?.(update)) ?? [];
      return codec.encode('UpdateContainersResponse', { failed });
    }
    throw new TtrpcError(statusCode.Unimplemented, `no method ${method}`);
  }

  async function callRaw(method: string, payload: Uint8Array, timeoutMs = requestTimeoutMs): Promise<Uint8Array> {
    try {
      return await client.call({ service: pluginService, method, payload, timeoutMs });
    } catch (error) {
      if (reason) throw reason;
      if (error instanceof TtrpcError && error.origin === 'local' && fatal.has(error.code))
        end(new NriError('NRI_PLUGIN_MISBEHAVED', error.message, error));
      throw error;
    }
  }

  async function call<Request extends MessageName, Response extends MessageName>(
    method: string,
    names: [Request, Response],
    request: Messages[Request],
    timeoutMs?: number,
  ): Promise<Messages[Response]> {
    return codec.decode(names[1], await callRaw(method, codec.encode(names[0], request), timeoutMs));
  }

  async function configure(request: Partial<ConfigureRequest>): Promise<void> {
    const full: ConfigureRequest = {
      config: '',
      runtimeName: '',
      runtimeVersion: '',
      registrationTimeout: registrationTimeoutMs,
      requestTimeout: requestTimeoutMs,
      nriVersion: '',
      ...request,
    };
    const { events: wanted } = await call('Configure', ['ConfigureRequest', 'ConfigureResponse'], full);
    const { eventMask } = runtimeAbilities(full);
    if (wanted & ~eventMask)
      throw misbehaved(
        `invalid plugin events: 0x${(wanted & ~eventMask).toString(16)}${eventMask === eventMaskBase ? ' (NRI before 0.10)' : ''}`,
      );
    events = wanted || eventMask;
  }

  async function synchronize(pods: PodSandbox[], containers: Container[]): Promise<ContainerUpdate[]> {
    const until = performance.now() + requestTimeoutMs;
    let [podsPerMessage, containersPerMessage] = [pods.length, containers.length];
    for (;;) {
      const request = {
        pods: pods.slice(0, podsPerMessage),
        containers: containers.slice(0, containersPerMessage),
        more: pods.length > podsPerMessage || containers.length > containersPerMessage,
      };
      const payload = codec.encode('SynchronizeRequest', request);
      const lengthMax = options.synchronizeBytesMax ?? synchronizeBytesMax;
      if (payload.length > lengthMax) {
        if (podsPerMessage + containersPerMessage <= objectsPerMessageMin)
          throw misbehaved('failed to synchronize plugin with split messages');
        const factor = Math.min(lengthMax / payload.length, 0.9);
        podsPerMessage = Math.floor(podsPerMessage * factor);
        containersPerMessage = Math.floor(containersPerMessage * factor);
        if (podsPerMessage + containersPerMessage < objectsPerMessageMin) podsPerMessage = containersPerMessage = objectsPerMessageMin / 2;
        continue;
      }
      const reply = codec.decode('SynchronizeResponse', await callRaw('Synchronize', payload, until - performance.now()));
      if (!request.more) return reply.update ?? [];
      if (reply.update?.length || !reply.more) throw misbehaved('plugin does not handle split sync requests');
      pods = pods.slice(podsPerMessage);
      containers = containers.slice(containersPerMessage);
    }
  }

  async function send<Name extends EventName>(name: Name, request: EventRequest<Name>, timeoutMs?: number): Promise<EventResponse> {
    const method = methodOf<EventName>(name);
    if (delivery === 'dedicated' || !isStateChange(name)) {
      try {
        return await call(method, [`${method}Request`, `${method}Response`], request as EventRequest, timeoutMs);
      } catch (error) {
        const isUnknown = error instanceof TtrpcError && error.code === statusCode.Unimplemented && error.origin === 'remote';
        if (!isUnknown || !isStateChange(name)) throw error;
        delivery = 'state-change';
      }
    }
    return call('StateChange', ['StateChangeEvent', 'Empty'], { ...request, event: enumNameOf(name) }, timeoutMs);
  }

  function misbehaved(message: string): NriError {
    const error = new NriError('NRI_PLUGIN_MISBEHAVED', message);
    end(error);
    return error;
  }

  return {
    registered: registered.promise,
    get events() {
      return events;
    },
    closed: closed.promise,
    configure,
    synchronize,
    send,
    isSubscribed: name => (events & eventBit(name)) !== 0,
    callRaw,
    shutdown: () => call('Shutdown', ['Empty', 'Empty'], {}),
    close: () => end(new NriError('NRI_CLOSED', 'the runtime closed the connection')),
  };
}

const fatal: ReadonlySet<number> = new Set([statusCode.DeadlineExceeded, statusCode.Unavailable, statusCode.Internal]);
const objectsPerMessageMin = 8;
/** 4 MiB less the envelope. */
const synchronizeBytesMax = (4 << 20) - 256;

/** What a runtime refuses a registration for (fact C2). */
function registrationFault({ pluginName, pluginIdx }: RegisterPluginRequest): NriError | undefined {
  if (!/^[A-Za-z0-9_.+-]+$/.test(pluginName))
    return new NriError('NRI_REGISTRATION_REFUSED', `invalid plugin name ${JSON.stringify(pluginName)}`);
  if (!/^\d\d$/.test(pluginIdx)) return new NriError('NRI_REGISTRATION_REFUSED', `invalid plugin index ${JSON.stringify(pluginIdx)}`);
  return undefined;
}
