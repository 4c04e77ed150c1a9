/** The whole plugin in this process, connected to an embedded runtime, for one test. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import pino from 'pino';
import { createHost, type EventReport, type Host } from '../../src/host/index.ts';
import { type ConnectionState, connectPlugin, createCodec } from '../../src/nri/index.ts';
import { type EmbeddedRuntime, type RuntimeOptions, startRuntime } from '../../src/testing/index.ts';
import { type Folder, folder } from './folder.ts';

export type LogRecord = { level: string; msg: string; code?: string; [field: string]: unknown };

export type PluginBench = {
  runtime: EmbeddedRuntime;
  host: Host;
  scripts: Folder;
  reports: EventReport[];
  log: LogRecord[];
  states: ConnectionState[];
  /** Starts another runtime on the same socket, as a restart does. */
  restart(options?: Partial<RuntimeOptions>): Promise<EmbeddedRuntime>;
};

export async function pluginBench(
  t: TestContext,
  files: Record<string, string>,
  options: Partial<RuntimeOptions> = {},
): Promise<PluginBench> {
  const scripts = folder(t, files);
  const place = folder(t).path;
  const socketPath = join(place, 'nri.sock');
  const reports: EventReport[] = [];
  const log: LogRecord[] = [];
  const states: ConnectionState[] = [];
  const logger = pino(
    { level: 'debug', base: null, formatters: { level: level => ({ level }) } },
    { write: (line: string) => log.push(JSON.parse(line)) },
  );
  const start = async (more: Partial<RuntimeOptions>) => {
    const runtime = await startRuntime({ socketPath, ...options, ...more });
    t.after(() => runtime.stop());
    return runtime;
  };
  const runtime = await start({});
  const host = createHost({ scripts: scripts.path, state: join(place, 'state'), logger, onReport: report => reports.push(report) });
  await host.ready();
  const connection = connectPlugin({
    endpoint: { path: socketPath },
    name: 'nri-scripts',
    index: '50',
    codec: createCodec(),
    handlers: host.handlers,
    onState(state) {
      states.push(state);
      host.connect(state === 'serving' ? connection.updateContainers : undefined);
    },
  });
  t.after(async () => {
    await connection.close();
    await host.close();
  });
  await runtime.waitForPlugin('50-nri-scripts');
  return { runtime, host, scripts, reports, log, states, restart: (more = {}) => start(more) };
}
