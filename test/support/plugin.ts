/** The whole plugin in this process, connected to an embedded runtime, for one test. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import pino from 'pino';
import { createHost, type EventReport, type Host } from '../../src/host/index.ts';
import { type ConnectionOptions, type ConnectionState, connectPlugin, createCodec, type PluginConnection } from '../../src/nri/index.ts';
import { type EmbeddedRuntime, type RuntimeOptions, startRuntime } from '../../src/testing/index.ts';
import { type Folder, folder } from './folder.ts';

export type LogRecord = { level: string; msg: string; code?: string; [field: string]: unknown };

export type StartedPlugin = {
  socketPath: string;
  host: Host;
  connection: PluginConnection;
  scripts: Folder;
  reports: EventReport[];
  log: LogRecord[];
  states: ConnectionState[];
};

export type PluginBench = StartedPlugin & {
  runtime: EmbeddedRuntime;
  /** Starts another runtime on the same socket, as a restart does. */
  restart(options?: Partial<RuntimeOptions>): Promise<EmbeddedRuntime>;
};

export async function pluginBench(
  t: TestContext,
  files: Record<string, string>,
  options: Partial<RuntimeOptions> = {},
  connection: Partial<ConnectionOptions> = {},
): Promise<PluginBench> {
  const socketPath = join(folder(t).path, 'nri.sock');
  const start = async (more: Partial<RuntimeOptions>) => {
    const runtime = await startRuntime({ socketPath, ...options, ...more });
    t.after(() => runtime.stop());
    return runtime;
  };
  const runtime = await start({});
  const plugin = await startPlugin(t, files, socketPath, connection);
  await runtime.waitForPlugin('50-nri-scripts');
  return { ...plugin, runtime, restart: (more = {}) => start(more) };
}

/** The plugin without a runtime: it dials the socket until there is one. */
export async function startPlugin(
  t: TestContext,
  files: Record<string, string>,
  socketPath = join(folder(t).path, 'nri.sock'),
  options: Partial<ConnectionOptions> = {},
): Promise<StartedPlugin> {
  const scripts = folder(t, files);
  const reports: EventReport[] = [];
  const log: LogRecord[] = [];
  const states: ConnectionState[] = [];
  const logger = pino(
    { level: 'debug', base: null, formatters: { level: level => ({ level }) } },
    { write: (line: string) => log.push(JSON.parse(line)) },
  );
  const state = join(folder(t).path, 'state');
  const host = createHost({ scripts: scripts.path, state, logger, onReport: report => reports.push(report) });
  await host.ready();
  const connection = connectPlugin({
    endpoint: { path: socketPath },
    name: 'nri-scripts',
    index: '50',
    codec: createCodec(),
    handlers: host.handlers,
    ...options,
    onState(state, detail) {
      states.push(state);
      host.connect(state === 'serving' ? connection.updateContainers : undefined);
      options.onState?.(state, detail);
    },
  });
  t.after(async () => {
    await connection.close();
    await host.close();
  });
  return { socketPath, host, connection, scripts, reports, log, states };
}
