/**
 * Keeps a plugin connected to its runtime.
 *
 *     connecting ──> registering ──> synchronising ──> serving
 *      ^     │            │                │              │
 *      │     └────────────┴───────┬────────┴──────────────┘
 *      └────── backing-off <──────┘ the connection failed or ended
 *
 * and from each state to `closed`, by `close()` or when a descriptor's one connection ends: a launched plugin cannot come back (fact C16).
 *
 * A runtime removes and re-creates its socket whenever it starts (fact A1), so that the path is dialled anew each time. Dialling costs the
 * node nothing and is tried every second; a handshake blocks the node's pod operations (fact C14), so that failing sessions are ever rarer.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, createBackoff } from './backoff.ts';
import { dial, type Endpoint } from './endpoint.ts';
import { NriError } from './errors.ts';
import type { ContainerUpdate } from './messages.ts';
import { openPluginSession, type PluginSession, type PluginSessionOptions, type SessionState } from './plugin-session.ts';

export type ConnectionState = 'connecting' | 'registering' | 'synchronising' | 'serving' | 'backing-off' | 'closed';

/** Why the connection is backing off or closed, and when it is tried again. */
export type StateDetail = { reason?: NriError; retryInMs?: number };

export type ConnectionOptions = Omit<PluginSessionOptions, 'stream' | 'onState'> & {
  endpoint: Endpoint;
  onState?(state: ConnectionState, detail: StateDetail): void;
  /** Waits before dialling again after a dial that failed. Default: 250 ms to 1 s. */
  dialBackoff?: Backoff;
  /** Waits before dialling again after a session that ended. Default: 250 ms to 8 s. */
  sessionBackoff?: Backoff;
  /** After serving this long, a session was good and the next wait is short again. Default 10 s. */
  goodAfterMs?: number;
};

export type PluginConnection = {
  readonly state: ConnectionState;
  /** Resolves to the reason when the connection is closed for good. Never rejects. */
  readonly closed: Promise<NriError>;
  /** As {@link PluginSession.updateContainers}; rejects unless `serving`. */
  updateContainers(update: ContainerUpdate[]): Promise<ContainerUpdate[]>;
  /** Ends the connection and every attempt to get one. Resolves when all is over. */
  close(): Promise<void>;
};

export function connectPlugin(options: ConnectionOptions): PluginConnection {
  const { endpoint, onState, goodAfterMs = 10_000, ...sessionOptions } = options;
  const dialBackoff = options.dialBackoff ?? createBackoff(250, 1000);
  const sessionBackoff = options.sessionBackoff ?? createBackoff(250, 8000);
  const closing = new AbortController();
  let state: ConnectionState = 'connecting';
  let session: PluginSession | undefined;

  function enter(next: ConnectionState, detail: StateDetail = {}): void {
    state = next;
    try {
      onState?.(next, detail);
    } catch (error) {
      // A callback's fault must not end the connection, nor a fault of the one that is told.
      try {
        options.onError?.(error, 'onState');
      } catch {}
    }
  }

  /** One connection from dial to end. Resolves to the reason of its end, and to how long to wait before the next. */
  async function live(): Promise<{ reason: NriError; retryInMs: number }> {
    enter('connecting');
    let stream: Awaited<ReturnType<typeof dial>>;
    try {
      stream = await dial(endpoint, closing.signal);
    } catch (error) {
      return { reason: error as NriError, retryInMs: dialBackoff.next() };
    }
    dialBackoff.reset();
    let servingSince = Number.POSITIVE_INFINITY;
    const follow = (next: SessionState) => {
      if (next === 'serving') servingSince = performance.now();
      if (next !== 'closed') enter(next);
    };
    enter('registering');
    session = openPluginSession({ ...sessionOptions, stream, onState: follow });
    if (closing.signal.aborted) session.close();
    const reason = await session.closed;
    session = undefined;
    if (performance.now() - servingSince >= goodAfterMs) sessionBackoff.reset();
    return { reason, retryInMs: sessionBackoff.next() };
  }

  async function run(): Promise<NriError> {
    for (;;) {
      const { reason, retryInMs } = await live();
      if (closing.signal.aborted || 'fd' in endpoint) return reason;
      enter('backing-off', { reason, retryInMs });
      await sleep(retryInMs, undefined, { signal: closing.signal }).catch(() => {});
      if (closing.signal.aborted) return new NriError('NRI_CLOSED', 'the plugin stopped connecting');
    }
  }

  const closed = Promise.resolve()
    .then(run)
    .then(reason => {
      enter('closed', { reason });
      return reason;
    });

  return {
    get state() {
      return state;
    },
    closed,
    updateContainers(update) {
      if (session) return session.updateContainers(update);
      return Promise.reject(new NriError('NRI_NOT_SERVING', `updates can be sent while the session serves, the connection is ${state}`));
    },
    async close() {
      closing.abort();
      session?.close();
      await closed;
    },
  };
}
