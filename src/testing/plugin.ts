/**
 * One plugin as the embedded runtime knows it: the handshake, and calls with upstream's rules on which failures are whose (facts C2 to C12, D2 to D4).
 */
import type { Duplex } from 'node:stream';
import { isStateChange } from '../nri/events.ts';
import {
  type Codec,
  type Container,
  type ContainerUpdate,
  type EventName,
  type EventRequest,
  type EventResponse,
  eventBit,
  NriError,
  openRuntimeSession,
  type PodSandbox,
  type RuntimeSessionOptions,
} from '../nri/index.ts';
import { statusCode, statusName, TtrpcError } from '../ttrpc/index.ts';
import type { RuntimeIdentity } from './nri-features.ts';
import { OperationError } from './operation-error.ts';

/** One call to a plugin. */
export type CallRecord = {
  /** `NN-name` */
  plugin: string;
  call: EventName | 'configure' | 'synchronize';
  /** From before the request is encoded until the answer is decoded. */
  millis: number;
  /** Upstream's error text, when it failed. */
  error?: string;
};

export type PluginSettings = Pick<RuntimeSessionOptions, 'layout' | 'strict' | 'synchronizeBytesMax'> & {
  codec: Codec;
  identity: RuntimeIdentity;
  requestTimeoutMs: number;
  registrationTimeoutMs: number;
  onCall(record: CallRecord): void;
  log(line: string): void;
  onUpdateContainers(update: ContainerUpdate[], plugin: string): Promise<ContainerUpdate[]>;
};

/** What the runtime knows beforehand of a plugin that it launched (fact C2). */
export type LaunchedIdentity = { name: string; index: string; config: string };

export type Plugin = {
  readonly name: string;
  /** Two digits. */
  readonly index: string;
  /** `NN-name`, as owners and error messages call it. */
  readonly id: string;
  /** The mask that it subscribed with; 0 until it is configured. */
  readonly events: number;
  readonly launched: boolean;
  readonly isClosed: boolean;
  /** Resolves to the reason when the connection has ended. Never rejects. */
  readonly closed: Promise<NriError>;
  isSubscribed(event: EventName): boolean;
  /** Tells what the runtime is and takes the subscription; throws, and the connection is over, when the plugin does not take it. */
  configure(): Promise<void>;
  /** Gives the whole state; throws, and the connection is over, when the plugin does not take it. */
  synchronize(pods: PodSandbox[], containers: Container[]): Promise<ContainerUpdate[]>;
  /**
   * Sends an event that the plugin subscribed to. Undefined, for "no change", when it did not subscribe and when the call costs it the connection
   * (fact D3); throws PLUGIN_ERROR for what fails the operation (fact D4).
   */
  ask<Name extends EventName>(event: Name, request: EventRequest<Name>): Promise<EventResponse | undefined>;
  /** As `ask`, but everything that goes wrong throws VALIDATOR_FAILED or REJECTED (fact G2). */
  validate(request: EventRequest<'validateContainerAdjustment'>): Promise<void>;
  close(): void;
};

/** Waits for the plugin's registration. Owns the stream; when it throws, the connection is over. */
export async function registerPlugin(stream: Duplex, settings: PluginSettings, launched?: LaunchedIdentity): Promise<Plugin> {
  const { codec, identity, requestTimeoutMs, registrationTimeoutMs, layout, strict, synchronizeBytesMax, onCall, log } = settings;
  let id = launched ? `${launched.index}-${launched.name}` : '';
  let isClosed = false;
  const session = openRuntimeSession({
    stream,
    codec,
    requestTimeoutMs,
    registrationTimeoutMs,
    delivery: identity.nri.dedicatedEvents ? 'dedicated' : 'state-change',
    onUpdateContainers: update => settings.onUpdateContainers(update, id),
    ...(layout && { layout }),
    ...(strict !== undefined && { strict }),
    ...(synchronizeBytesMax !== undefined && { synchronizeBytesMax }),
  });
  stream.resume();
  session.closed.then(() => {
    isClosed = true;
    log(`connection to plugin "${id || '-'}" closed`);
  });

  async function timed<Result>(call: CallRecord['call'], run: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    const record = (error?: unknown) =>
      onCall({ plugin: id, call, millis: performance.now() - startedAt, ...(error !== undefined && { error: goText(error) }) });
    try {
      const result = await run();
      record();
      return result;
    } catch (error) {
      record(error);
      throw error;
    }
  }

  function loseIfFatal(error: unknown, event: EventName): boolean {
    if (!isFatal(error)) return false;
    log(`closing plugin ${id}, failed to handle ${callName(event, identity)}: ${goText(error)}`);
    session.close();
    return true;
  }

  const registration = await session.registered.catch((error: NriError) => {
    throw new Error(registrationText(error), { cause: error });
  });
  const { name, index } = launched ?? { name: registration.pluginName, index: registration.pluginIdx };
  id = `${index}-${name}`;

  return {
    name,
    index,
    id,
    get events() {
      return session.events;
    },
    launched: launched !== undefined,
    get isClosed() {
      return isClosed;
    },
    closed: session.closed,
    isSubscribed: session.isSubscribed,
    async configure() {
      const request = {
        config: launched?.config ?? '',
        runtimeName: identity.name,
        runtimeVersion: identity.version,
        ...(!identity.nri.tellsTimeouts && { registrationTimeout: 0, requestTimeout: 0 }),
        ...(identity.nri.tellsVersion && { nriVersion: `v${identity.nri.version}` }),
      };
      try {
        await timed('configure', () => session.configure(request));
      } catch (error) {
        session.close();
        // Upstream does not say what its version has to do with it.
        if (error instanceof NriError && error.code === 'NRI_PLUGIN_MISBEHAVED' && error.cause === undefined)
          throw new Error(error.message.replace(/ \(NRI before .*\)$/, ''), { cause: error });
        throw new Error(`failed to configure plugin: ${goText(error)}`, { cause: error });
      }
    },
    async synchronize(pods, containers) {
      try {
        if (!identity.nri.splitsSync) refuseToSplit(codec.encode('SynchronizeRequest', { pods, containers, more: false }).length);
        return await timed('synchronize', () => session.synchronize(pods, containers));
      } catch (error) {
        session.close();
        throw error;
      }
    },
    async ask(event, request) {
      if (!session.isSubscribed(event)) return undefined;
      try {
        return await timed(event, () => session.send(event, request));
      } catch (error) {
        if (loseIfFatal(error, event)) return undefined;
        throw new OperationError('PLUGIN_ERROR', goText(error), [id], error);
      }
    },
    async validate(request) {
      const event = 'validateContainerAdjustment';
      if (!session.isSubscribed(event)) return;
      const { reject, reason } = await timed(event, () => session.send(event, request)).catch((error: unknown) => {
        loseIfFatal(error, event);
        throw new OperationError('VALIDATOR_FAILED', `validator plugin ${id} failed: ${goText(error)}`, [id], error);
      });
      if (!reject) return;
      const why = reason || 'unknown rejection reason';
      throw new OperationError('REJECTED', `validator "${id}" rejected container adjustment, reason: ${why}`, [id]);
    },
    close: session.close,
  };
}

/** What upstream's log calls a call: events that StateChange carries by their number. */
function callName(event: EventName, { nri }: RuntimeIdentity): string {
  if (isStateChange(event) && !nri.dedicatedEvents) return `event ${1 + Math.log2(eventBit(event))}`;
  return `${event[0]!.toUpperCase()}${event.slice(1)} request`;
}

/** The text that Go's error would have. */
export function goText(error: unknown): string {
  if (error instanceof TtrpcError) {
    if (error.origin === 'local' && error.code === statusCode.DeadlineExceeded) return 'context deadline exceeded';
    if (error.origin === 'local' && error.code === statusCode.Unavailable) return 'ttrpc: closed';
    return `rpc error: code = ${statusName(error.code)} desc = ${error.message}`;
  }
  if (error instanceof NriError && error.code === 'NRI_CLOSED') return 'ttrpc: closed';
  if (error instanceof NriError && error.cause instanceof TtrpcError) return goText(error.cause);
  return error instanceof Error ? error.message : String(error);
}

/** Whether a call's failure costs the plugin its connection (fact D3). A malformed reply does not: it fails the operation. */
function isFatal(error: unknown): boolean {
  if (error instanceof TtrpcError) return error.origin === 'local' && fatalCodes.has(error.code);
  return error instanceof NriError;
}

const fatalCodes: ReadonlySet<number> = new Set([statusCode.DeadlineExceeded, statusCode.Unavailable, statusCode.Internal]);

function registrationText(error: NriError): string {
  if (error.code === 'NRI_REGISTRATION_TIMEOUT') return 'plugin registration timed out';
  if (error.code === 'NRI_CLOSED') return 'failed to register plugin, connection closed';
  return `failed to register plugin: ${error.message}`;
}

/** NRI before 0.7 fails for state that does not fit in one message (fact C11). */
function refuseToSplit(length: number): void {
  const lengthMax = 4 << 20;
  if (length <= lengthMax) return;
  throw new TtrpcError(statusCode.ResourceExhausted, `message length ${length} exceed maximum message size of ${lengthMax}`);
}
