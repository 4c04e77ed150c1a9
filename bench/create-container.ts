/**
 * What a container's creation waits for: CreateContainer through the embedded runtime, a real socket, a plugin that was started as on a
 * node, with 1, 10 and 50 scripts. Prints one line each, events 5 ms apart as on a busy node and back to back.
 *
 *     npm run bench [-- --events N] [--profile]
 *
 * With --profile the median of every stage follows, from the plugin's log at debug level. "merge" goes on beside "scripts", but for the last
 * script's; what is left to the latency is the runtime's side of the socket.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createCodec } from '../src/nri/index.ts';
import { type EmbeddedRuntime, realisticContainer, realisticPod, startRuntime } from '../src/testing/index.ts';
import { memory, withDescendants } from './processes.ts';

const program = resolve(import.meta.dirname, '../bin/nri-scripts');
const { values } = parseArgs({ options: { events: { type: 'string', default: '400' }, profile: { type: 'boolean', default: false } } });
const events = Number(values.events);

/** Reads both inputs, and changes something that no other script changes, and something that all do. */
const script = (n: number) => `import type { Script } from 'nri-scripts';
export default {
  createContainer({ pod, container }) {
    if (pod.annotations['bench/off'] === 'yes') return;
    return { adjust: { env: { BENCH_${n}: container.name }, linux: { resources: { cpu: { shares: ${100 + n} } } } } };
  },
} satisfies Script;
`;

type Spread = { p50: number; p99: number };

async function measure(scripts: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nri-scripts-bench-'));
  const directory = join(folder, 'scripts.d');
  mkdirSync(directory, { mode: 0o755 });
  for (let n = 0; n < scripts; n++) writeFileSync(join(directory, `${String(n).padStart(2, '0')}-bench.ts`), script(n), { mode: 0o644 });
  const runtime = await startRuntime({ socketPath: join(folder, 'nri.sock') });
  const started = performance.now();
  const args = [
    'run',
    '--socket',
    runtime.socketPath,
    '--scripts',
    directory,
    '--state',
    join(folder, 'state'),
    '--log-file',
    join(folder, 'log'),
    ...(values.profile ? ['--log-level', 'debug'] : []),
  ];
  const plugin = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  try {
    await runtime.waitForPlugin('50-nri-scripts', 30_000);
    const ready = performance.now() - started;
    await creations(runtime, 100, 5);
    const spaced = await creations(runtime, events, 5);
    const dense = await creations(runtime, events, 0);
    const [, ...descendants] = withDescendants([plugin.pid!]);
    const host = memory([plugin.pid!]);
    const sandbox = memory(descendants);
    console.log(
      [
        `${String(scripts).padStart(3)} scripts`,
        `5 ms apart p50 ${micros(spaced.p50)} p99 ${micros(spaced.p99)}`,
        `back to back p50 ${micros(dense.p50)} p99 ${micros(dense.p99)}`,
        `host ${host.rss.toFixed(0)} MiB (pss ${host.pss.toFixed(0)})`,
        `sandbox ${sandbox.rss.toFixed(0)} MiB (pss ${sandbox.pss.toFixed(0)})`,
        `ready in ${ready.toFixed(0)} ms`,
      ].join(' | '),
    );
  } finally {
    plugin.kill('SIGTERM');
    await new Promise(resolve => plugin.once('exit', resolve));
    if (values.profile) printStages(join(folder, 'log'));
    await runtime.stop();
    rmSync(folder, { recursive: true });
  }
}

/** The medians over the creations 5 ms apart and back to back, in this order; the first 100 are the warm-up. */
function printStages(log: string): void {
  type Line = { event?: string; stages?: Record<string, number>; scripts?: { micros: number }[] };
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  const created = lines.map(line => JSON.parse(line) as Line).filter(line => line.event === 'createContainer' && line.stages);
  for (const [name, some] of [
    ['5 ms apart', created.slice(100, 100 + events)],
    ['back to back', created.slice(100 + events)],
  ] as const) {
    const all = some.map(({ stages, scripts }) => {
      const { contexts = 0, ...others } = stages!;
      return { ...others, contexts, scripts: scripts!.reduce((sum, { micros }) => sum + micros, -contexts) } as Record<string, number>;
    });
    const order = ['decode', 'wait', 'choose', 'send', 'hop', 'contexts', 'scripts', 'process', 'merge', 'reply'];
    const median = (stage: string) => all.map(each => each[stage]!).sort((a, b) => a - b)[all.length >> 1] ?? 0;
    console.log(`            ${name.padEnd(12)} ${order.map(stage => `${stage} ${median(stage)}`).join(' | ')} µs`);
  }
}

let serial = 0;

async function creations(runtime: EmbeddedRuntime, count: number, pauseMillis: number): Promise<Spread> {
  const pod = await runtime.runPod({ ...realisticPod(), id: `pod-${serial++}` });
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const container = { ...realisticContainer(pod), id: `container-${serial++}` };
    if (pauseMillis > 0) await new Promise(resolve => setTimeout(resolve, pauseMillis));
    const before = runtime.calls.length;
    await runtime.createContainer(pod, container);
    times.push(runtime.calls.slice(before).find(call => call.call === 'createContainer')!.millis * 1000);
    await runtime.removeContainer(container);
  }
  await runtime.removePod(pod);
  times.sort((a, b) => a - b);
  return { p50: times[Math.floor(count * 0.5)]!, p99: times[Math.floor(count * 0.99)]! };
}

function micros(value: number): string {
  return `${value.toFixed(0).padStart(6)} µs`;
}

const pod = realisticPod();
const size = createCodec().encode('CreateContainerRequest', { pod, container: realisticContainer(pod) }).length;
console.log(`CreateContainer, ${size} bytes a request, ${events} events a line; node ${process.version}`);
for (const scripts of [1, 10, 50]) await measure(scripts);
