/**
 * Fuzzing: spoiled traffic at a plugin's session, random results at composition, spoiled settings files and sandbox frames at their readers.
 *
 *     npm run fuzz -- --minutes 5 --seed 42      for as long
 *     npm run fuzz                               until 10 million frames, a million results, files and sandbox frames each
 *
 * Prints how far it is every few seconds. At the first broken invariant it prints the case and the least input, and exits with 1; `--only wire --seed N
 * --minutes 0` brings that case back.
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { childFramesTarget } from './child-frames.ts';
import { FuzzFailure, type Target, watchFaults } from './failure.ts';
import { createRandom } from './random.ts';
import { resultsTarget } from './results.ts';
import { settingsTarget } from './settings.ts';
import { captureTraffic } from './traffic.ts';
import { wireTarget } from './wire.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
const seed = values.seed === undefined ? Date.now() >>> 0 : Number(values.seed);
if (minutes !== undefined && !(minutes >= 0)) throw new RangeError('--minutes takes a number');
if (!Number.isInteger(seed)) throw new RangeError('--seed takes an integer');

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const sliceMillis = 1000;
const printEvery = 5000;
/** What may stay in memory beyond what was there when all had run for a while, bytes. */
const growthMax = 64 << 20;

const faults = watchFaults();
type Course = { target: Target; goal: number; done: number; millis: number };
const courses: Course[] = [
  { target: wireTarget(await captureTraffic(), faults), goal: 10_000_000 },
  { target: resultsTarget(), goal: 1_000_000 },
  { target: settingsTarget, goal: 1_000_000 },
  { target: childFramesTarget, goal: 1_000_000 },
]
  .filter(({ target }) => values.only === undefined || target.name === values.only)
  .map(course => ({ ...course, done: 0, millis: 0 }));
if (courses.length === 0) throw new RangeError(`--only takes wire, results, settings or child frames`);

const started = performance.now();
const end = minutes === undefined ? Number.POSITIVE_INFINITY : started + minutes * 60_000;
const seeds = createRandom(seed);
let firstCase: number | undefined = values.only === undefined ? undefined : seed;
let printed = started;
let memoryBefore: number | undefined;
console.log(`seed ${seed}`);

function print(): void {
  const parts = courses.map(({ target, done, millis }) => {
    const rate = millis === 0 ? 0 : Math.round((done / millis) * 1000);
    return `${target.name} ${done} ${target.unit}, ${rate}/s`;
  });
  console.log(`${Math.round((performance.now() - started) / 1000)} s: ${parts.join('; ')}; rss ${process.memoryUsage().rss >> 20} MiB`);
}

/** Bytes that cannot be freed, on the heap and beside it. */
async function occupied(): Promise<number> {
  // What ends in callbacks of its own needs its turns, what has a finalizer a second collection.
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await new Promise(setImmediate);
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

async function one({ target }: Course): Promise<number> {
  const seedOfCase = firstCase ?? seeds.fork();
  firstCase = undefined;
  try {
    const count = await target.run(seedOfCase);
    const [escaped] = faults.take();
    if (escaped !== undefined) throw new FuzzFailure(`escaped: ${escaped instanceof Error ? escaped.stack : String(escaped)}`, '');
    return count;
  } catch (error) {
    console.log(`\n${target.name}, case ${seedOfCase} of seed ${seed}: ${(error as Error).stack}`);
    if (error instanceof FuzzFailure) console.log(`input: ${error.input}`);
    console.log(`again: npm run fuzz -- --only ${JSON.stringify(target.name)} --seed ${seedOfCase} --minutes 0`);
    process.exit(1);
  }
}

while (true) {
  for (const course of courses) {
    if (minutes === undefined && course.done >= course.goal) continue;
    const begun = performance.now();
    do course.done += await one(course);
    while (performance.now() < Math.min(end, begun + sliceMillis));
    course.millis += performance.now() - begun;
  }
  const now = performance.now();
  const isOver = minutes === undefined ? courses.every(({ done, goal }) => done >= goal) : now >= end;
  if (now < printed + printEvery && !isOver) continue;
  printed = now;
  print();
  const memory = await occupied();
  memoryBefore ??= memory;
  if (memory > memoryBefore + growthMax) {
    console.log(`memory grew from ${memoryBefore >> 20} to ${memory >> 20} MiB, seed ${seed}`);
    process.exit(1);
  }
  if (!isOver) continue;
  console.log(`no invariant broken; ${memoryBefore >> 20} MiB occupied at the beginning, ${memory >> 20} MiB in the end`);
  process.exit(0);
}
