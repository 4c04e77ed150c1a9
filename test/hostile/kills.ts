/** Good scripts, whose sandbox is killed, stopped and crashed from outside at random moments while events arrive. */
import { type EmbeddedRuntime, exampleContainer, examplePod } from '../../src/testing/index.ts';
import { openPlugin } from './plugin.ts';

export type KillsOptions = {
  events: number;
  /** Of the choice of signals and moments. */
  seed: number;
  /** Longest time from one signal to the next, milliseconds. */
  pause: number;
  onProgress?(done: number): void;
};

export type KillsResult = {
  events: number;
  signals: Record<string, number>;
  /** Processes that were started. */
  starts: number;
  slowest: number;
  late: number;
  /** Per script: how its runs ended. */
  outcomes: Record<string, Record<string, number>>;
  /** Runs without a result that no signal explains. */
  unexplained: string[];
  faults: string[];
};

/** Many: one that was hit is set aside for seconds, and the others are to go on. */
const names = [...'ABCDEFGHIJ'];
/** Longest pause between two events, milliseconds: signals are to hit work in the background too. */
const rest = 10;
/** A signal is felt by this many milliseconds after it: SIGSTOP when something is asked, a lost load when the script is asked for. */
const aftermath = 3000;
const signals = ['SIGKILL', 'SIGSTOP', 'SIGSEGV'] as const;

export async function killAtRandom(runtime: EmbeddedRuntime, { events, seed, pause, onProgress }: KillsOptions): Promise<KillsResult> {
  const random = mulberry32(seed);
  const result: KillsResult = {
    ...{ events, signals: {}, starts: 0, slowest: 0, late: 0, outcomes: {}, unexplained: [], faults: [] },
  };
  const source = (name: string) =>
    `export default { createContainer({ container }) { return { adjust: { env: { ${name}: container.name } } }; } };`;
  const files = Object.fromEntries(names.map(name => [`${name}.js`, source(name)]));
  const plugin = openPlugin(runtime, files, { onFault: fault => result.faults.push(fault) });
  const { host, reports } = plugin;
  await plugin.ready();
  let timer: NodeJS.Timeout | undefined;
  let struck = Number.NEGATIVE_INFINITY;
  const down = new Set<string>();
  const strike = () => {
    const signal = signals[Math.floor(random() * signals.length)]!;
    const { pid } = host.sandbox();
    if (pid !== undefined) {
      result.signals[signal] = (result.signals[signal] ?? 0) + 1;
      process.kill(pid, signal);
      struck = performance.now();
    }
    timer = setTimeout(strike, random() * pause);
  };
  strike();

  try {
    const pod = await runtime.runPod(examplePod());
    for (let at = 0; at < events; at++) {
      const container = exampleContainer(pod, { name: `app${at}` });
      const from = reports.length;
      const started = performance.now();
      const startsBefore = host.sandbox().starts;
      const { spec } = await runtime.createContainer(pod, container);
      result.slowest = Math.max(result.slowest, performance.now() - started);
      const report = reports.slice(from).find(each => each.handler === 'createContainer');
      for (const name of names) {
        const outcome = report?.scripts.find(({ script }) => script === `${name}.js`)?.outcome ?? 'absent';
        count(result, name, outcome);
        const arrived = spec.process?.env?.includes(`${name}=${container.name}`) ?? false;
        if (arrived !== (outcome === 'ok')) result.unexplained.push(`${container.name}: ${name} ${outcome}, but its result is ${arrived}`);
        const explained =
          outcome === 'ok' ||
          (outcome === 'killed' && performance.now() - struck < aftermath) ||
          // Hit again before it was up, as a busy machine takes longer for that than the next signal takes.
          (outcome === 'budget' && host.sandbox().starts > startsBefore + 1) ||
          (outcome === 'set-aside' && down.has(name));
        if (!explained) result.unexplained.push(`${container.name}: ${name} ${outcome}`);
        if (outcome === 'ok') down.delete(name);
        else down.add(name);
      }
      if (report?.late) result.late += 1;
      await runtime.removeContainer(container);
      await new Promise(resolve => setTimeout(resolve, random() * rest));
      if (at % 100 === 99) {
        await host.settled();
        reports.splice(0);
        onProgress?.(at + 1);
      }
    }
    await runtime.removePod(pod);
  } catch (error) {
    result.faults.push(String(error));
  } finally {
    clearTimeout(timer);
    result.starts = host.sandbox().starts;
    await plugin.close();
  }
  result.late += runtime.calls.filter(call => call.error !== undefined).length;
  return result;
}

function count({ outcomes }: KillsResult, name: string, outcome: string): void {
  const ofName = outcomes[name] ?? {};
  ofName[outcome] = (ofName[outcome] ?? 0) + 1;
  outcomes[name] = ofName;
}

/** A small generator of numbers from 0 to 1 (public domain, by its usual name). */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
