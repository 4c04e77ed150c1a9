/** What is measured of one side: a fresh runtime, fresh processes, the same replays for each. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cpuMicros, memory, strangersWithSameProgram, withDescendants } from '../processes.ts';
import { percentile } from './figures.ts';
import { type Replay, type Run, type Runtime, startRuntime } from './runtime.ts';
import type { Side } from './sides.ts';

/** Times in microseconds, but for `ready` in milliseconds; memory in MiB; CPU time per event in microseconds. */
export type Figures = {
  /** From the start of the processes until the runtime has synchronized them all. */
  ready: number;
  /** CreateContainer as the first event of fresh processes. */
  first: number;
  spacedP50: number;
  spacedP99: number;
  spacedCpu: number;
  denseP50: number;
  denseP99: number;
  denseCpu: number;
  denseEvents: number;
  createSpacedP50: number;
  createSpacedP99: number;
  createDenseP50: number;
  createDenseP99: number;
  createDenseEvents: number;
  pss: number;
  rss: number;
};

export type Measured = {
  figures: Figures;
  /** What the side changes in a container; the same each time. */
  adjustment: unknown;
  /** Processes elsewhere on the machine that the side's program is shared with: its PSS is less by their share. */
  strangers: number;
};

/** Starts processes that connect to this socket; the folder is theirs. */
export type StartSide = (socketPath: string, folder: string) => Side;

const pauseMicros = 5000;

/** What is the same for all sides. */
export type Track = {
  /** The runtime's program. */
  program: string;
  /** How many containers a replay has. */
  containers: number;
  /** Rejects when the race is to end at once. */
  aborted: Promise<never>;
};

/** Measures all figures. Works in `folder`, which it makes and removes. */
export function measure(track: Track, start: StartSide, folder: string): Promise<Measured> {
  const { containers } = track;
  return withSide(track, start, folder, async (runtime, side, ready) => {
    const adjustments = new Set<string>();
    async function replay(options: Partial<Replay>): Promise<Run & { cpu: number }> {
      const pids = withDescendants(side.pids);
      const before = cpuMicros(pids);
      const run = await runtime.run({ containers, pauseMicros: 0, maxMillis: 5000, ...options });
      adjustments.add(JSON.stringify(run.adjustment));
      return { ...run, cpu: (cpuMicros(pids) - before) / run.events };
    }
    const first = await replay({ containers: 1, createOnly: true });
    await warmUp(runtime);
    const spaced = await replay({ pauseMicros, maxMillis: 9000 });
    const dense = await replay({});
    const createSpaced = await replay({ pauseMicros, createOnly: true });
    const createDense = await replay({ createOnly: true });
    if (adjustments.size > 1) throw new Error(`one side changes a container in two ways: ${[...adjustments].join('\n')}`);
    const pids = withDescendants(side.pids);
    const figures: Figures = {
      ready,
      first: first.latencies[0]! / 1000,
      spacedP50: micros(spaced, 0.5),
      spacedP99: micros(spaced, 0.99),
      spacedCpu: spaced.cpu,
      denseP50: micros(dense, 0.5),
      denseP99: micros(dense, 0.99),
      denseCpu: dense.cpu,
      denseEvents: eventsPerSecond(dense),
      createSpacedP50: micros(createSpaced, 0.5),
      createSpacedP99: micros(createSpaced, 0.99),
      createDenseP50: micros(createDense, 0.5),
      createDenseP99: micros(createDense, 0.99),
      createDenseEvents: eventsPerSecond(createDense),
      ...memory(pids),
    };
    return { figures, adjustment: first.adjustment, strangers: strangersWithSameProgram(pids) };
  });
}

/** The median latency of CreateContainer alone, in microseconds, events 5 ms apart. */
export function measureIdle(track: Track, start: StartSide, folder: string): Promise<number> {
  return withSide(track, start, folder, async runtime => {
    await warmUp(runtime);
    return micros(await runtime.run({ containers: track.containers, pauseMicros, maxMillis: 9000 }), 0.5);
  });
}

async function withSide<Result>(
  { program, aborted }: Track,
  start: StartSide,
  folder: string,
  work: (runtime: Runtime, side: Side, ready: number) => Promise<Result>,
): Promise<Result> {
  mkdirSync(folder, { mode: 0o755 });
  const socketPath = join(folder, 'nri.sock');
  try {
    const runtime = await startRuntime(program, socketPath);
    try {
      const began = performance.now();
      const side = start(socketPath, folder);
      try {
        const result = async () => {
          await runtime.synchronized(side.plugins);
          return work(runtime, side, performance.now() - began);
        };
        return await Promise.race([result(), side.failure, aborted]);
      } finally {
        await side.end();
      }
    } finally {
      await runtime.end();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Both at the pace of what follows and fast enough that both sides' code has been compiled and their pools are full. */
async function warmUp(runtime: Runtime): Promise<void> {
  await runtime.run({ containers: 60, pauseMicros: 0, maxMillis: 3000 });
  await runtime.run({ containers: 10, pauseMicros, maxMillis: 1000 });
}

function micros(run: Run, share: number): number {
  return percentile(run.latencies, share) / 1000;
}

function eventsPerSecond({ events, elapsed }: Run): number {
  return events / (elapsed / 1e9);
}
