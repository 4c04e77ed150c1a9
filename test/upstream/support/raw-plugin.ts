/** A plugin that may do what no plugin of ours does: it answers each method with a message, an error or never. */
import { connect } from 'node:net';
import { type ContainerUpdate, createCodec, type MessageName, type Messages } from '../../../src/nri/index.ts';
import { createMux, pluginConnId, runtimeConnId } from '../../../src/nri/mux.ts';
import { createClient, serve, TtrpcError } from '../../../src/ttrpc/index.ts';
import type { Cleanup } from './cleanup.ts';
import { within } from './within.ts';

/** By method: what it answers, or bytes as they are. What has no entry is answered with the empty message. */
export type Answers = { [method: string]: (plugin: RawPlugin, request: Uint8Array) => object | Uint8Array | Promise<object | Uint8Array> };

export type RawPlugin = {
  /** The methods in the order in which they came; `StateChange START_CONTAINER`. */
  calls: string[];
  /** `ok`, or the error's text as Go writes it. */
  register(index: string, name: string): Promise<string>;
  /** The ids of those that failed, or the error's text. */
  update(update: ContainerUpdate[]): Promise<string[] | string>;
  /** Cuts the connection. */
  die(): void;
  readonly isClosed: boolean;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
};

const codec = createCodec();

export async function openRawPlugin(cleanup: Cleanup, socketPath: string, answers: Answers): Promise<RawPlugin> {
  const socket = connect(socketPath);
  socket.on('error', () => {});
  cleanup(() => void socket.destroy());
  await within(10_000, 'a connection', new Promise(resolve => socket.once('connect', resolve)));
  let isClosed = false;
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve())).then(() => {
    isClosed = true;
  });
  const mux = createMux(socket);
  const client = createClient(mux.open(runtimeConnId));
  const plugin: RawPlugin = {
    calls: [],
    register: (pluginIdx, pluginName) => ask('RegisterPlugin', 'RegisterPluginRequest', { pluginIdx, pluginName }, () => 'ok'),
    update: update =>
      ask('UpdateContainers', 'UpdateContainersRequest', { update }, reply =>
        (codec.decode('UpdateContainersResponse', reply).failed ?? []).map(({ containerId }) => containerId),
      ),
    die: () => void socket.destroy(),
    get isClosed() {
      return isClosed;
    },
    closed,
  };

  async function ask<Name extends MessageName, Result>(
    method: string,
    name: Name,
    request: Messages[Name],
    read: (reply: Uint8Array) => Result,
  ): Promise<Result | string> {
    const call = { service: 'nri.pkg.api.v1alpha1.Runtime', method, payload: codec.encode(name, request), timeoutMs: 10_000 };
    return client
      .call(call)
      .then(read, (error: unknown) => (error instanceof TtrpcError ? `${error.code}: ${error.message}` : String(error)));
  }

  serve(mux.open(pluginConnId), async ({ method, payload }) => {
    const event = method === 'StateChange' ? ` ${codec.decode('StateChangeEvent', payload).event}` : '';
    plugin.calls.push(method + event);
    const answer = (await answers[method]?.(plugin, payload)) ?? {};
    return answer instanceof Uint8Array
      ? answer
      : codec.encode((method === 'StateChange' ? 'Empty' : `${method}Response`) as MessageName, answer as Messages[MessageName]);
  });
  return plugin;
}
