import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  type ContainerRequest,
  createCodec,
  type EventName,
  type EventResponse,
  eventMaskBase,
  openPluginSession,
  type PluginHandlers,
  type PluginSession,
  type SynchronizeRequest,
} from '../../src/nri/index.ts';
import { type EmbeddedRuntime, type RuntimeOptions, startRuntime } from '../../src/testing/index.ts';

export const codec = createCodec();

export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'nri-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export async function runtime(t: TestContext, options: Partial<RuntimeOptions> = {}): Promise<EmbeddedRuntime> {
  const started = await startRuntime({ socketPath: join(temporaryDirectory(t), 'nri.sock'), ...options });
  t.after(() => started.stop());
  return started;
}

export async function dial(t: TestContext, socketPath: string): Promise<Socket> {
  const stream = connect(socketPath);
  t.after(() => stream.destroy());
  stream.on('error', () => {});
  await new Promise((resolve, reject) => stream.once('connect', resolve).once('error', reject));
  return stream;
}

export type TestPlugin = {
  session: PluginSession;
  /** The events that came, in order. */
  events: EventName[];
  requests: Array<{ event: EventName; request: ContainerRequest }>;
  synchronized?: Pick<SynchronizeRequest, 'pods' | 'containers'>;
};

export type TestHandlers = Partial<Omit<PluginHandlers, 'event'>> & {
  event?(name: EventName, request: ContainerRequest, plugin: TestPlugin): EventResponse | undefined | Promise<EventResponse | undefined>;
  /** The mask to subscribe with; default: all that NRI always had. */
  events?: number;
};

/** Connects a plugin `NN-name`, without waiting for it to be in service. */
export async function dialPlugin(t: TestContext, socketPath: string, id: string, handlers: TestHandlers = {}): Promise<TestPlugin> {
  const plugin: Omit<TestPlugin, 'session'> & { session?: PluginSession } = { events: [], requests: [] };
  plugin.session = openPluginSession({
    stream: await dial(t, socketPath),
    name: id.slice(3),
    index: id.slice(0, 2),
    codec,
    handlers: {
      configure: handlers.configure ?? (() => ({ events: handlers.events ?? eventMaskBase })),
      synchronize(request, call) {
        plugin.synchronized = request;
        return handlers.synchronize?.(request, call);
      },
      event(event, request) {
        plugin.events.push(event);
        plugin.requests.push({ event, request: request as ContainerRequest });
        return handlers.event?.(event, request as ContainerRequest, plugin as TestPlugin);
      },
    },
  });
  return plugin as TestPlugin;
}

/** Connects a plugin and waits until it is in service. */
export async function plugin(t: TestContext, runtime: EmbeddedRuntime, id: string, handlers: TestHandlers = {}): Promise<TestPlugin> {
  const dialed = await dialPlugin(t, runtime.socketPath, id, handlers);
  await runtime.waitForPlugin(id);
  return dialed;
}
