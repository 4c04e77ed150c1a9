/**
 * The plugins of a runtime: taken in one at a time (fact C4), called in the order of their indices (fact D1), forgotten when their connection ends.
 */
import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import type { NriError } from '../nri/index.ts';
import { launch, parsePluginFile } from './launch.ts';
import { createLock } from './locks.ts';
import { goText, type LaunchedIdentity, type Plugin, type PluginSettings, registerPlugin } from './plugin.ts';

/** A connection that has ended. */
export type Departure = {
  /** `NN-name`; empty when it ended before the plugin had registered. */
  plugin: string;
  /** Whether it had been in service: registered, configured and synchronised. */
  served: boolean;
  reason: string;
  /** NriError, or what else the handshake failed with. */
  error: unknown;
};

export type PluginSet = {
  /** Those in service, in the order in which they are called. */
  inOrder(): Plugin[];
  /** Queues a connection for the handshake. Resolves when it is in service, rejects when it does not get there. */
  admit(stream: Duplex, launched?: LaunchedIdentity): Promise<Plugin>;
  /** Starts a program and admits it. */
  launch(path: string, config: string): Promise<Plugin>;
  /** The last 1000, oldest first. */
  readonly departures: readonly Departure[];
  /** Ends all connections and kills the programs that were started. */
  close(): Promise<void>;
  /** Ends all connections and leaves the programs alone, as a killed runtime does. */
  abandon(): void;
};

export type PluginSetOptions = PluginSettings & {
  /** Brings a plugin up to date; it throws when the plugin cannot serve. */
  synchronize(plugin: Plugin): Promise<void>;
  /** A plugin came or went. */
  onChange(): void;
};

export function createPluginSet(options: PluginSetOptions): PluginSet {
  const { log, onChange } = options;
  const handshakes = createLock();
  const children = new Set<ChildProcess>();
  /** The connections whose handshake is to come or under way. */
  const pending = new Set<Duplex>();
  const departures: Departure[] = [];
  let serving: Plugin[] = [];
  let isClosed = false;

  function depart(departure: Departure): void {
    departures.push(departure);
    if (departures.length > departuresMax) departures.shift();
    onChange();
  }

  function enlist(plugin: Plugin): void {
    serving = [...serving, plugin].sort((one, other) => (one.index < other.index ? -1 : one.index > other.index ? 1 : 0));
    log(`plugin "${plugin.id}" connected and synchronized`);
    plugin.closed.then((error: NriError) => {
      serving = serving.filter(each => each !== plugin);
      depart({ plugin: plugin.id, served: true, reason: error.message, error });
    });
    onChange();
  }

  async function handshake(stream: Duplex, launched?: LaunchedIdentity): Promise<Plugin> {
    const kind = launched ? 'pre-installed NRI' : 'external';
    let id = launched ? `${launched.index}-${launched.name}` : '';
    let doing = `failed to start ${kind} plugin`;
    try {
      if (isClosed) throw new Error('the runtime has stopped');
      const plugin = await registerPlugin(stream, options, launched);
      id = plugin.id;
      await plugin.configure();
      doing = 'failed to synchronize plugin';
      await options.synchronize(plugin);
      if (plugin.isClosed) throw await plugin.closed;
      enlist(plugin);
      return plugin;
    } catch (error) {
      stream.destroy();
      const reason = `${doing}: ${goText(error)}`;
      log(reason);
      depart({ plugin: id, served: false, reason, error });
      throw new Error(reason, { cause: error });
    }
  }

  function admit(stream: Duplex, launched?: LaunchedIdentity): Promise<Plugin> {
    pending.add(stream);
    return handshakes.run(() => handshake(stream, launched)).finally(() => pending.delete(stream));
  }

  function abandon(): void {
    isClosed = true;
    for (const stream of pending) stream.destroy();
    for (const plugin of serving) plugin.close();
  }

  return {
    inOrder: () => serving.filter(plugin => !plugin.isClosed),
    admit,
    async launch(path, config) {
      const identity = parsePluginFile(path);
      const { process, stream } = await launch(path, identity);
      children.add(process);
      process.once('exit', () => children.delete(process));
      // The runtime ends what it started when it is done with it.
      stream.once('close', () => void (isClosed || process.kill('SIGKILL')));
      return admit(stream, { ...identity, config });
    },
    departures,
    async close() {
      abandon();
      const exits = [...children].map(child => new Promise(resolve => child.once('exit', resolve)));
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(exits);
      await handshakes.run(() => {});
    },
    abandon,
  };
}

const departuresMax = 1000;
