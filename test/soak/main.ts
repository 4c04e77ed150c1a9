/**
 * A plugin as it is on a node, for as long as you like: the program itself against the embedded runtime, pods that come and go, scripts that
 * come, change and go every few seconds, one in ten of which misbehaves. Prints what host and sandbox occupy; in the end judges whether that
 * was flat, and whether every call was answered in time. Exits with 0 when both hold.
 *
 *     npm run soak -- --minutes 20
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startRuntime } from '../../src/testing/index.ts';
import { descendants, figuresOf, judge, type Tolerance } from './figures.ts';
import { startLoad } from './load.ts';
import { createScriptPlan } from './scripts.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' } } });
const millis = Number(values.minutes) * 60_000;
if (!(millis > 0)) throw new RangeError('--minutes takes a number above 0');

const sampleEvery = Math.min(5000, millis / 40);
const printEvery = Math.min(30_000, millis / 10);
const changeEvery = 3000;
const podEvery = 300;
const podsLiving = 40;

const folder = mkdtempSync(join(tmpdir(), 'nri-scripts-soak-'));
chmodSync(folder, 0o755);
const directory = join(folder, 'scripts.d');
mkdirSync(directory, { mode: 0o755 });

/** As editors do it: the new file takes the old one's place. */
function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, `.${name}.new`), text, { mode: 0o644 });
    renameSync(join(directory, `.${name}.new`), join(directory, name));
  }
}

type SandboxLine = { pid: number; starts: number; scripts: number; isolates: number };

/** What the program's log says. */
function follow(program: ChildProcess): { codes: Map<string, number>; sandbox(): SandboxLine | undefined } {
  const codes = new Map<string, number>();
  let sandbox: SandboxLine | undefined;
  createInterface({ input: program.stderr! }).on('line', line => {
    let record: { msg?: string; code?: string } & Partial<SandboxLine>;
    try {
      record = JSON.parse(line);
    } catch {
      console.log(`the program says: ${line}`);
      return;
    }
    if (record.code) codes.set(record.code, (codes.get(record.code) ?? 0) + 1);
    if (record.code === 'INTERNAL') console.log(`the program says: ${line}`);
    if (record.msg === 'sandbox') sandbox = record as SandboxLine;
  });
  return { codes, sandbox: () => sandbox };
}

/** By name; NaN where there was nothing to measure. Bytes are in MiB. */
type Sample = Record<keyof typeof tolerances, number>;

const tolerances = {
  'host rss': { share: 0.1, amount: 8 },
  'host fds': { share: 0, amount: 4 },
  'host threads': { share: 0, amount: 1 },
  'sandbox rss': { share: 0.2, amount: 24 },
  'sandbox fds': { share: 0, amount: 4 },
  // isolated-vm's pool has 7 to 18, more while isolates are made: a process that has just been replaced has more than one that rests.
  'sandbox threads': { share: 0, amount: 8 },
  'isolates per script': { share: 0.2, amount: 0.2 },
  'other processes': { share: 0, amount: 0.5 },
  'other rss': { share: 0.2, amount: 16 },
} satisfies Record<string, Tolerance>;

function sample(host: number, sandbox: SandboxLine | undefined): Sample {
  const ofHost = figuresOf(host);
  const below = descendants(host);
  const pid = below.find(each => each === sandbox?.pid);
  const ofSandbox = pid === undefined ? undefined : figuresOf(pid);
  const others = below.filter(each => each !== pid).flatMap(each => figuresOf(each) ?? []);
  const inMiB = (bytes: number | undefined) => (bytes ?? Number.NaN) / 2 ** 20;
  return {
    'host rss': inMiB(ofHost?.rss),
    'host fds': ofHost?.fds ?? Number.NaN,
    'host threads': ofHost?.threads ?? Number.NaN,
    'sandbox rss': inMiB(ofSandbox?.rss),
    'sandbox fds': ofSandbox?.fds ?? Number.NaN,
    'sandbox threads': ofSandbox?.threads ?? Number.NaN,
    'isolates per script': ofSandbox && sandbox && sandbox.scripts > 0 ? sandbox.isolates / sandbox.scripts : Number.NaN,
    'other processes': pid === undefined ? Number.NaN : others.length,
    'other rss': inMiB(others.reduce((sum, { rss }) => sum + rss, 0)),
  };
}

const shown = (value: number) => (Number.isNaN(value) ? '-' : String(Math.round(value * 100) / 100));

const plan = createScriptPlan();
write(plan.first());
const slowest = { millis: 0, call: '' };
let calls = 0;
const errors: string[] = [];
const runtime = await startRuntime({
  socketPath: join(folder, 'nri.sock'),
  onCall({ call, millis, error }) {
    calls++;
    if (millis > slowest.millis) Object.assign(slowest, { millis, call });
    if (error !== undefined) errors.push(`${call}: ${error}`);
  },
});
const program = spawn(
  resolve(import.meta.dirname, '../../bin/nri-scripts'),
  ['run', '--socket', runtime.socketPath, '--scripts', directory, '--state', join(folder, 'state'), '--log-level', 'debug'],
  { stdio: ['ignore', 'inherit', 'pipe'] },
);
const ended = once(program, 'exit');
const log = follow(program);
const samples: Sample[] = [];
let changes = 0;
let isGone = false;
void ended.then(() => {
  isGone = true;
});

try {
  await runtime.waitForPlugin('50-nri-scripts', 60_000);
  const load = startLoad(runtime, podEvery, podsLiving);
  const start = Date.now();
  let [changeAt, printAt] = [start + changeEvery, start + printEvery];
  while (Date.now() < start + millis && !isGone) {
    await sleep(Math.min(sampleEvery, changeEvery));
    samples.push(sample(program.pid!, log.sandbox()));
    if (Date.now() >= changeAt) {
      changeAt += changeEvery;
      changes++;
      const { write: files = {}, remove = [] } = plan.next();
      write(files);
      for (const name of remove) rmSync(join(directory, name), { force: true });
    }
    if (Date.now() < printAt) continue;
    printAt += printEvery;
    const figures = Object.entries(samples.at(-1)!).map(([name, value]) => `${name} ${shown(value)}`);
    const { scripts, misbehaving } = plan.counts();
    const { pods, failed, lacking } = load.counts;
    console.log(
      [
        `${Math.round((Date.now() - start) / 1000)} s`,
        `${pods} pods, ${calls} calls, slowest ${Math.round(slowest.millis)} ms (${slowest.call}), ${errors.length + failed} failed, ${lacking} lacking`,
        `${scripts} scripts, ${misbehaving} misbehaving, ${changes} changes, ${log.sandbox()?.starts ?? 0} sandboxes so far`,
        figures.join(', '),
      ].join(' | '),
    );
  }
  await load.stop();
  process.exitCode = conclude(load);
} finally {
  program.kill('SIGTERM');
  await ended;
  await runtime.stop();
  rmSync(folder, { recursive: true, force: true });
}

function conclude({ counts, failures }: ReturnType<typeof startLoad>): number {
  console.log('\nmedian of the second quarter and of the last');
  let isGood = true;
  const tell = (holds: boolean, text: string) => {
    isGood &&= holds;
    console.log(`  ${holds ? 'ok ' : 'BAD'} ${text}`);
  };
  for (const [name, tolerance] of Object.entries(tolerances)) {
    const { isFlat, before, after } = judge(
      samples.map(each => each[name as keyof Sample]),
      tolerance,
    );
    tell(isFlat, `${name}: ${shown(before)} then ${shown(after)}`);
  }
  console.log('in all');
  tell(!isGone, 'the program ran to the end');
  tell(runtime.departures.length === 0, `${runtime.departures.length} connections lost`);
  tell(
    errors.length + counts.failed === 0,
    `${calls} calls, ${errors.length} of them late or failed, ${counts.failed} operations failed ${[...errors.slice(0, 5), ...failures].join('; ')}`,
  );
  tell(slowest.millis < 2000, `slowest call ${Math.round(slowest.millis)} ms (${slowest.call})`);
  const short = log.codes.get('ANSWERED_WITHOUT_SCRIPTS') ?? 0;
  tell(short === 0, `${short} answers that left before the scripts were done`);
  tell(counts.lacking === 0, `${counts.containers} containers, ${counts.lacking} without what the steady script adds`);
  console.log(`${counts.pods} pods, ${changes} changes of scripts, ${log.sandbox()?.starts ?? 0} sandbox processes`);
  console.log([...log.codes].map(([code, count]) => `${code} ${count}`).join(', '));
  return isGood ? 0 : 1;
}
