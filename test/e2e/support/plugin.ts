/** Our plugin as operators run it: bin/nri-scripts, started beside a runtime or linked into the runtime's plugin directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { type Folder, folder } from '../../support/folder.ts';
import type { LaunchedPlugin } from './containerd.ts';
import { type LogLine, logFromFile, logFromStream, type PluginLog } from './log-lines.ts';
import type { Scope } from './scope.ts';

const executable = resolve(import.meta.dirname, '../../../bin/nri-scripts');

export type PluginOptions = {
  /** NRI's socket. */
  socket: string;
  /** The scripts directory's files: `10-name.ts`, `10-name.yaml` … */
  scripts: Record<string, string>;
  /** Default: `50`. */
  index?: string;
  name?: string;
  /** Default: `debug`. */
  logLevel?: string;
};

export type Plugin = {
  /** Process id of the host process. */
  readonly pid: number;
  readonly log: PluginLog;
  /** The scripts directory, to be changed while the plugin runs. */
  readonly scripts: Folder;
  /** Resolves when a connection to the runtime is up; `from` skips that many lines of the log. */
  connected(from?: number): Promise<void>;
  /** Ends it as an operator does, and resolves to its exit code. */
  stop(): Promise<number | null>;
  kill9(): Promise<void>;
};

/** Starts the plugin by itself; with a runtime that listens, wait for {@link Plugin.connected}. Ends with the test. */
export function startPlugin(t: Scope, { socket, scripts, ...options }: PluginOptions): Plugin {
  const { index = '50', name = 'nri-scripts', logLevel = 'debug' } = options;
  const directory = folder(t, scripts);
  const flags = { socket, scripts: directory.path, index, name, 'log-level': logLevel };
  const args = ['run', ...Object.entries(flags).flatMap(([key, value]) => [`--${key}`, value])];
  const child = spawn(executable, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const log = logFromStream(child.stderr);
  // 'close' comes when all output has been read.
  const ended = once(child, 'close');
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await ended;
    return child.exitCode;
  };
  t.after(async () => {
    showWhenFailed(t, name, log);
    await endSurely(child, end);
  });
  return {
    pid: child.pid!,
    log,
    scripts: directory,
    connected: from => said(log, 'connected', from),
    stop: () => end('SIGTERM'),
    async kill9() {
      await end('SIGKILL');
    },
  };
}

export type PluginToLaunch = LaunchedPlugin & {
  readonly log: PluginLog;
  readonly scripts: Folder;
  /**
   * Resolves when the runtime has configured it, which is so when the runtime is up; `from` skips that many lines of the log.
   * containerd 1.7 sends a plugin that it launched no Synchronize, so there it never says that it is connected.
   */
  configured(from?: number): Promise<void>;
};

/** The plugin for a runtime to launch: give it to startContainerd or addPlugin. It logs into a file. */
export function pluginToLaunch(t: Scope, { scripts, ...options }: Omit<PluginOptions, 'socket'>): PluginToLaunch {
  const { index = '50', name = 'nri-scripts', logLevel = 'debug' } = options;
  const directory = folder(t, scripts);
  const logFile = join(folder(t).path, 'plugin.log');
  const log = logFromFile(logFile);
  t.after(() => showWhenFailed(t, name, log));
  return {
    name: `${index}-${name}`,
    executable,
    config: JSON.stringify({ scripts: directory.path, logFile, logLevel }),
    log,
    scripts: directory,
    configured: from => said(log, 'configured', from),
  };
}

async function said(log: PluginLog, start: string, from?: number): Promise<void> {
  await log.waitFor(line => line.msg.startsWith(start), from);
}

async function endSurely(child: ChildProcess, end: (signal: NodeJS.Signals) => Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 5000);
  await end('SIGTERM');
  clearTimeout(tooLong);
}

function showWhenFailed(t: Scope, name: string, log: PluginLog): void {
  if (t.passed !== false) return;
  const line = ({ level, msg, ...fields }: LogLine) => `  ${level} ${msg} ${JSON.stringify(fields)}\n`;
  process.stderr.write(`e2e: the plugin ${name} wrote:\n${log.lines().map(line).join('')}\n`);
}
