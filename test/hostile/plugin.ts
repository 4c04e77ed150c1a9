/** The whole plugin in this process with scripts of its own, connected to an embedded runtime. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { createHost, type EventReport, type Host } from '../../src/host/index.ts';
import { connectPlugin, createCodec } from '../../src/nri/index.ts';
import type { EmbeddedRuntime } from '../../src/testing/index.ts';

export type HostilePlugin = {
  host: Host;
  reports: EventReport[];
  /** Resolves when scripts are in force and events come. */
  ready(): Promise<void>;
  close(): Promise<void>;
};

export type PluginListener = {
  /** A line of the host's log. */
  onLine?(line: string): void;
  /** What must never happen: an error in the host itself. */
  onFault(fault: string): void;
};

export function openPlugin(runtime: EmbeddedRuntime, files: Record<string, string>, listener: PluginListener): HostilePlugin {
  const scripts = mkdtempSync(join(tmpdir(), 'nri-scripts-hostile-'));
  chmodSync(scripts, 0o755);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(scripts, name), text, { mode: 0o644 });
  const reports: EventReport[] = [];
  const write = (line: string) => {
    listener.onLine?.(line);
    if (line.includes('"code":"INTERNAL"')) listener.onFault(line);
  };
  const logger = pino({ level: 'info', base: null }, { write });
  const host = createHost({ scripts, state: join(scripts, '.state'), logger, onReport: report => reports.push(report) });
  const connection = connectPlugin({
    endpoint: { path: runtime.socketPath },
    name: 'nri-scripts',
    index: '50',
    codec: createCodec(),
    handlers: host.handlers,
    onError: (error, where) => listener.onFault(`${where}: ${String(error)}`),
    onState: state => host.connect(state === 'serving' ? connection.updateContainers : undefined),
  });
  return {
    host,
    reports,
    async ready() {
      await host.ready();
      await runtime.waitForPlugin('50-nri-scripts');
    },
    async close() {
      await connection.close();
      await host.close();
      rmSync(scripts, { recursive: true, force: true });
    },
  };
}
