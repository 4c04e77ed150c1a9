/** Wires the parts of one running plugin together: the scripts directory, the sandbox, the dispatch of events, the log. */
import type { Logger } from 'pino';
import { grants } from '../compose/index.ts';
import { type ConfigureRequest, eventBit, eventMaskFull, type PluginHandlers, runtimeAbilities } from '../nri/index.ts';
import { type HandlerName, monotonicNow, openSandbox, type Sandbox } from '../sandbox/index.ts';
import {
  type ActiveScript,
  createScriptStore,
  ScriptProblem,
  type ScriptStore,
  type ScriptVersion,
  watchScripts,
} from '../scripts/index.ts';
import { createDispatch, type Dispatch } from './dispatch.ts';
import { logEvent, logMissed } from './event-log.ts';
import { createInventory } from './inventory.ts';
import { nodeFacts } from './node-facts.ts';
import { createQuarantine } from './quarantine.ts';
import type { EventReport } from './report.ts';
import { createScriptLog, type ScriptLine } from './script-log.ts';
import { createStateStore } from './state-store.ts';
import { type SendUpdates, sendUnsolicited } from './unsolicited.ts';

/** How often the log tells at debug level what the sandbox holds, milliseconds. */
const sandboxLogInterval = 5000;

export type HostOptions = {
  /** Absolute path of the scripts directory; it need not exist yet. */
  scripts: string;
  /** Absolute path of the directory that keeps what scripts keep. */
  state: string;
  logger: Logger;
  /** Sees every event's report beside the log. */
  onReport?(report: EventReport): void;
};

export type Host = {
  /** Resolves when the scripts that are there are compiled and probed, and have contexts ready. */
  ready(): Promise<void>;
  /** What the plugin session calls. */
  handlers: PluginHandlers;
  /** With a connection, unsolicited updates can be sent. */
  connect(send: SendUpdates | undefined): void;
  active(): readonly ActiveScript[];
  sandbox(): ReturnType<Sandbox['state']>;
  /** Resolves when all events that have arrived are handled. */
  settled(): Promise<void>;
  /** Opens the scripts' log files anew, after they were rotated. */
  reopenLogs(): void;
  close(): Promise<void>;
};

export function createHost(options: HostOptions): Host {
  const { logger } = options;
  const inventory = createInventory();
  const scriptLog = createScriptLog(logger);
  const node = nodeFacts();
  const stateStore = createStateStore(options.state, logger);
  const quarantine = createQuarantine(monotonicNow, {
    onSetAside(name, pause, faults, why) {
      const seconds = Math.round(pause / 1000);
      logger.error(
        { code: 'SCRIPT_QUARANTINED', script: name, seconds, faults },
        `${name} is set aside for ${seconds} s, or until it is changed: ${why}`,
      );
    },
    onRelease: (name, why) => logger.info({ script: name }, `${name} runs again: ${why}`),
  });
  /** Every version that is in force or was until just now, by id: what is still running may log. */
  const versions = new Map<string, ScriptVersion>();
  let runtime = { name: '', version: '', nriVersion: '' };
  let requestTimeout = 0;
  let send: SendUpdates | undefined;
  let sandboxLoggedAt = 0;
  /** An answer that is ready leaves first: the runtime does not wait for the log. */
  const unwritten: ScriptLine[] = [];
  const writeLines = () => {
    for (const line of unwritten.splice(0)) scriptLog.write(line);
  };

  const sandbox = openSandbox({
    onLog(id, level, text, dropped) {
      const version = versions.get(id);
      if (!version) return;
      if (unwritten.length === 0) setImmediate(writeLines);
      unwritten.push({ script: version.name, file: version.settings.logFile, level, text, dropped, event: dispatch.current() });
    },
    onLookup: (id, kind, argument) => (kind === 'state' ? stateStore.text(versions.get(id)?.name ?? '') : inventory.lookup(kind, argument)),
    onStarted: (pid, millis) => logger.debug({ pid, millis: Math.round(millis) }, 'sandbox process started'),
    onEnded: reason => logger.warn({ code: 'SANDBOX_ENDED' }, `the sandbox process is replaced: ${reason}`),
    onLost(id, error) {
      const name = versions.get(id)?.name ?? id;
      logger.error(
        { code: 'SCRIPT_SET_ASIDE', script: name },
        `${name} does not run until it is changed, its top level fails: ${error.message}`,
      );
    },
  });
  sandbox.setFacts({ runtime, node });

  async function probe(version: ScriptVersion): Promise<readonly HandlerName[]> {
    const { id, name, code, libraries, settings, positions } = version;
    versions.set(id, version);
    const result = await sandbox.load({
      id,
      name,
      code,
      libraries,
      config: JSON.stringify(settings.config ?? null),
      timeout: settings.timeout,
      memory: settings.memory,
      allow: settings.allow,
      shadow: settings.mode === 'shadow',
    });
    if ('handlers' in result) return result.handlers;
    versions.delete(id);
    const where = positions.first(result.error.stack) ?? name;
    const why = result.outcome === 'timeout' ? `its top level took longer than ${settings.timeout} ms` : result.error.message;
    throw new ScriptProblem('SCRIPT_LOAD_FAILED', where, `${where}: ${why}`);
  }

  const store: ScriptStore = createScriptStore({
    directory: options.scripts,
    grants,
    probe,
    onChange(active, change) {
      const { added, changed, removed, micros } = change;
      logger.info(
        { added, changed, removed, millis: Math.round(micros / 1000) },
        `${active.length} script${active.length === 1 ? '' : 's'} in force`,
      );
      for (const name of [...changed, ...removed]) quarantine.release(name);
      void dispatch.settled().then(() => letGo(change.gone));
      scriptLog.keep(new Set(active.flatMap(script => script.settings.logFile ?? [])));
      const validators = active.filter(script => script.handlers.includes('validateContainerAdjustment'));
      if (validators.length > 0 && subscribed === false) {
        const names = validators.map(script => script.name).join(', ');
        logger.warn(
          { code: 'VALIDATION_NOT_SUBSCRIBED' },
          `${names} validates from the next connection on: NRI fixes the events of a connection when it begins`,
        );
      }
    },
    onProblem(problem, kept) {
      const { code, where, message } = problem;
      logger.error({ code, where }, kept ? `${message} (the last good version goes on)` : message);
    },
  });

  let subscribed: boolean | undefined;
  const dispatch: Dispatch = createDispatch({
    sandbox,
    inventory,
    active: store.active,
    nriVersion: () => runtime.nriVersion,
    requestTimeout: () => requestTimeout,
    onReport(report) {
      logEvent(logger, report);
      logSandbox();
      options.onReport?.(report);
    },
    onMissed: missed => logMissed(logger, inventory, missed),
    onUpdates: updates => void sendUnsolicited(logger, send, updates),
    quarantine,
    onState: stateStore.change,
  });

  /** What the sandbox holds, for whoever watches a node for long. */
  function logSandbox(): void {
    if (monotonicNow() < sandboxLoggedAt + sandboxLogInterval) return;
    sandboxLoggedAt = monotonicNow();
    const { pid, starts, scripts, isolates, rss } = sandbox.state();
    logger.debug({ pid, starts, scripts, isolates, rss }, 'sandbox');
  }

  /** No event uses these versions any more, unless one has come back. */
  function letGo(gone: readonly ActiveScript[]): void {
    const inForce = new Set(store.active().map(script => script.id));
    for (const { id } of gone) {
      if (inForce.has(id)) continue;
      sandbox.unload(id);
      versions.delete(id);
    }
  }

  const first = store.refresh().then(() => sandbox.idle());
  const watcher = watchScripts(options.scripts, () => store.refresh());

  function configure(request: ConfigureRequest): { events: number } {
    const { nriVersion, eventMask } = runtimeAbilities(request);
    runtime = { name: request.runtimeName, version: request.runtimeVersion, nriVersion };
    requestTimeout = Number(request.requestTimeout);
    sandbox.setFacts({ runtime, node });
    subscribed = store.active().some(script => script.handlers.includes('validateContainerAdjustment'));
    // All events, as scripts may come at any time; validation only for scripts that do, as it turns a stall of ours into failed pods (G4).
    const events = eventMask & (subscribed ? eventMaskFull : eventMaskFull & ~eventBit('validateContainerAdjustment'));
    logger.info({ ...runtime, requestTimeout, events: `0x${events.toString(16)}` }, `configured by ${runtime.name} ${runtime.version}`);
    dispatch.configure(request);
    return { events };
  }

  return {
    ready: () => first,
    handlers: { configure, synchronize: dispatch.synchronize, event: dispatch.event },
    connect(next) {
      send = next;
    },
    active: store.active,
    sandbox: sandbox.state,
    settled: dispatch.settled,
    reopenLogs: scriptLog.reopen,
    async close() {
      send = undefined;
      await watcher.close();
      await dispatch.settled();
      await sandbox.close();
      stateStore.flush();
      writeLines();
      scriptLog.close();
    },
  };
}
