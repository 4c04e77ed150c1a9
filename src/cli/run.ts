/** `nri-scripts run`: the plugin, until it is told to stop. */
import { basename, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHost, type Host } from '../host/index.ts';
import { type ConnectionState, connectPlugin, createCodec, launchedPlugin, type PluginHandlers, type StateDetail } from '../nri/index.ts';
import type { CliError } from './cli-error.ts';
import { createLog, type Log } from './logger.ts';
import { combine, parseConfig, parseFlags, type RunOptions, readConfigFile, runUsage } from './run-options.ts';

/** How long Configure waits for the scripts to be compiled: the runtime waits two seconds for its answer (fact C5). */
const patienceWithScripts = 1500;
/** How long a failure to connect that stays the same is not logged again. */
const repeatAfter = 60_000;

export async function run(args: string[]): Promise<number> {
  const parsed = parseFlags(args);
  if (!parsed) {
    process.stdout.write(runUsage);
    return 0;
  }
  const fromFile = readConfigFile(parsed.config);
  const launched = launchedPlugin(process.env);
  const log = createLog();
  const { logger } = log;
  let host: Host | undefined;

  /** A launched plugin learns its configuration from the runtime; any other has it from the start. */
  function start(fromRuntime: Partial<RunOptions>): Host {
    const options = combine(parsed!.flags, fromRuntime, fromFile);
    log.open(options.logFile && resolve(options.logFile), options.logLevel);
    host = createHost({ scripts: resolve(options.scripts), state: resolve(options.state), logger });
    return host;
  }

  const handlers: PluginHandlers = {
    async configure(request, call) {
      const current = host ?? start(runtimeConfig(request.config, log));
      await Promise.race([current.ready(), sleep(patienceWithScripts, undefined, { ref: false })]);
      return current.handlers.configure(request, call);
    },
    synchronize: (request, call) => host?.handlers.synchronize(request, call),
    event: (name, request, call) => host?.handlers.event(name, request, call),
  };

  const options = combine(parsed.flags, fromFile, launched ? {} : namedBy(process.env['NRI_SCRIPTS_ARGV0']));
  const codec = createCodec();
  const stopped = stopSignal();
  if (launched) codec.prepare();
  else {
    const started = start({});
    codec.prepare();
    const signal = await Promise.race([started.ready(), stopped]);
    if (signal !== undefined) {
      logger.info(`${signal}: closing`);
      await started.close();
      log.flush();
      return 0;
    }
  }
  const connection = connectPlugin({
    endpoint: launched?.endpoint ?? { path: resolve(options.socket) },
    name: launched?.name ?? options.name,
    index: launched?.index ?? options.index,
    codec,
    handlers,
    onState: stateLog(log, options, state => host?.connect(state === 'serving' ? connection.updateContainers : undefined)),
    onError: (error, where) =>
      logger.error({ code: 'INTERNAL', where, err: error }, `${where}: the runtime was answered with no change: ${String(error)}`),
  });

  process.on('SIGHUP', () => {
    log.reopen();
    host?.reopenLogs();
  });
  process.on('unhandledRejection', error => logger.error({ code: 'INTERNAL', err: error }, `unhandled: ${String(error)}`));
  const end = await Promise.race([stopped, connection.closed]);
  if (typeof end === 'string') logger.info(`${end}: closing`);
  await connection.close();
  await host?.close();
  log.flush();
  return 0;
}

function runtimeConfig(text: string, log: Log): Partial<RunOptions> {
  try {
    return parseConfig(text, "NRI's plugin configuration");
  } catch (error) {
    const { code, message } = error as CliError;
    log.logger.error({ code }, message);
    return {};
  }
}

/** The index and name in a link such as `10-nri-scripts` (fact A3). */
function namedBy(path: string | undefined): Partial<RunOptions> {
  const found = /^(\d\d)-([A-Za-z0-9_.+-]+)$/.exec(basename(path ?? ''));
  return found ? { index: found[1]!, name: found[2]! } : {};
}

function stateLog({ logger }: Log, options: RunOptions, onState: (state: ConnectionState) => void) {
  let last = { text: '', at: 0 };
  return (state: ConnectionState, { reason, retryInMs }: StateDetail): void => {
    onState(state);
    if (state === 'serving') logger.info({ socket: options.socket }, 'connected: events come from now on');
    if (state !== 'backing-off' || !reason) {
      logger.debug(`connection: ${state}`);
      return;
    }
    const now = Date.now();
    const repeated = reason.message === last.text && now - last.at < repeatAfter;
    logger[repeated ? 'debug' : 'warn']({ code: reason.code, retryInMs }, reason.message);
    if (!repeated) last = { text: reason.message, at: now };
  };
}

function stopSignal(): Promise<string> {
  return new Promise(settle => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        settle(signal);
      });
    }
  });
}
