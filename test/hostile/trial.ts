/**
 * One attack between two good scripts, in a plugin of its own that is connected to an embedded runtime with the real request timeout: what
 * the runtime got, when, and what it cost.
 */
import { readFileSync } from 'node:fs';
import type { EventReport, Host } from '../../src/host/index.ts';
import { type EmbeddedRuntime, examplePod, realisticContainer } from '../../src/testing/index.ts';
import type { Attack } from './attacks.ts';
import { openPlugin } from './plugin.ts';

export type Trial = {
  attack: Attack;
  /** Outcome of the attack's first run, and what was said of it. */
  stoppedBy: string;
  error: string;
  /** How often the attack ran before it was set aside. */
  runs: number;
  /** Of the longest call, milliseconds; the runtime waits 2000. */
  slowest: number;
  /** Calls that were not answered in time, and answers that left without the scripts' results. */
  late: number;
  /** Contributions of the good scripts that arrived, and those that should have. */
  good: number;
  expectedGood: number;
  /** Largest memory of a sandbox process, bytes, and the most that it may have. */
  peak: number;
  ceiling: number;
  /** Lines and bytes in the host's log. */
  logLines: number;
  logBytes: number;
  /** What should not have happened. */
  faults: string[];
};

const good = (name: string) => `
  const before = Object.keys(Object.prototype).length + (({}).polluted ? 1 : 0);
  export default {
    createContainer({ container }, nri) {
      const n = (nri.state.get('n') ?? 0) + 1;
      nri.state.set('n', n);
      const clean = before === 0 && container.env.ESCAPED === undefined;
      return { adjust: { env: { ${name}: clean ? \`\${container.name} \${n}\` : 'polluted' } } };
    },
  };
`;
const events = 3;

/** `runtime` is used by one trial after the other. */
export async function tryAttack(runtime: EmbeddedRuntime, attack: Attack): Promise<Trial> {
  const files: Record<string, string> = { '10-first.js': good('FIRST'), '50-attack.js': attack.source, '90-last.js': good('LAST') };
  if (attack.settings) files['50-attack.yaml'] = attack.settings;
  const trial: Trial = {
    ...{ attack, stoppedBy: 'load', error: '', runs: 0, slowest: 0, late: 0, good: 0, expectedGood: 2 * events },
    ...{ peak: 0, ceiling: 0, logLines: 0, logBytes: 0, faults: [] },
  };
  const calls = runtime.calls.length;
  const departures = runtime.departures.length;
  const plugin = openPlugin(runtime, files, {
    onLine(line) {
      trial.logLines += 1;
      trial.logBytes += line.length;
    },
    onFault: fault => trial.faults.push(fault),
  });
  const { host, reports } = plugin;
  const stopWatching = watchMemory(host, trial);
  try {
    await plugin.ready();
    await play(runtime, trial);
    await host.settled();
  } catch (error) {
    trial.faults.push(String(error));
  } finally {
    stopWatching();
    await plugin.close();
  }
  const mine = runtime.calls.slice(calls);
  trial.slowest = Math.max(...mine.map(call => call.millis));
  trial.late = reports.filter(report => report.late).length + mine.filter(call => call.error !== undefined).length;
  for (const { reason } of runtime.departures.slice(departures)) if (!/closed/.test(reason)) trial.faults.push(reason);
  judge(trial, reports);
  return trial;
}

async function play(runtime: EmbeddedRuntime, trial: Trial): Promise<void> {
  const pod = await runtime.runPod(examplePod());
  for (let at = 0; at < events; at++) {
    const container = realisticContainer(pod, { name: `app${at}` });
    const { spec } = await runtime.createContainer(pod, container);
    const env = spec.process?.env ?? [];
    for (const name of ['FIRST', 'LAST']) if (env.includes(`${name}=app${at} ${at + 1}`)) trial.good += 1;
    const escaped = env.find(entry => entry.startsWith('ESCAPED='));
    if (escaped) trial.faults.push(escaped);
  }
  await runtime.removePod(pod);
}

function judge(trial: Trial, reports: readonly EventReport[]): void {
  const ran = reports
    .flatMap(report => report.scripts)
    .filter(({ script, outcome }) => script === '50-attack.js' && outcome !== 'set-aside');
  const [first] = ran;
  trial.runs = ran.length;
  if (first) {
    trial.stoppedBy = first.outcome;
    trial.error = first.error ?? first.problems[0]?.message ?? '';
  }
  const { expected } = trial.attack;
  // On a busy machine the outer clock may be the first.
  const isExpected = expected.includes(trial.stoppedBy) || (expected.includes('timeout') && trial.stoppedBy === 'killed');
  if (!isExpected) trial.faults.push(`expected ${expected.join(' or ')}`);
  if (trial.peak > trial.ceiling + slack) trial.faults.push(`the sandbox occupied ${Math.round(trial.peak / 2 ** 20)} MiB`);
  if (trial.good < trial.expectedGood) trial.faults.push('contributions are missing');
  if (trial.late > 0) trial.faults.push('late');
}

/** What can be written to memory between two looks of the host at it, on a busy machine. */
const slack = 256 << 20;

/** The high-water mark (VmHWM), read often, as a process that is killed takes it along. */
function watchMemory(host: Host, trial: Trial): () => void {
  const timer = setInterval(() => {
    const { pid, ceiling } = host.sandbox();
    trial.ceiling = Math.max(trial.ceiling, ceiling);
    if (pid === undefined) return;
    try {
      const mark = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
      trial.peak = Math.max(trial.peak, Number(mark ?? 0) * 1024);
    } catch {
      // It has just ended.
    }
  }, 5);
  return () => clearInterval(timer);
}
