/** Every attack in scripts/, or those whose names contain a given word: `npm run test:hostile [-- word]`. Exits with 1 when one does harm. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRuntime } from '../../src/testing/index.ts';
import { readAttacks } from './attacks.ts';
import { type Trial, tryAttack } from './trial.ts';

const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
const say = (line: string) => process.stdout.write(`${line}\n`);
const word = process.argv[2] ?? '';
const attacks = readAttacks().filter(attack => attack.name.includes(word));
const place = mkdtempSync(join(tmpdir(), 'nri-scripts-hostile-'));
const runtime = await startRuntime({ socketPath: join(place, 'nri.sock'), requestTimeoutMs: 2000 });
const trials: Trial[] = [];
let crashes = 0;
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    crashes += 1;
    say(`  ! ${event}: ${error instanceof Error ? error.stack : String(error)}`);
  });
}

/** Host memory that is in use, after what is garbage has gone. */
function inUse(): { rss: number; heap: number } {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

say(`${'attack'.padEnd(30)} ${'stopped by'.padEnd(10)} runs  slowest  sandbox   good  log`);
const started = performance.now();
/** By then the allocator has what it needs for the largest of what comes back; from then on there is nothing to grow for. */
const warm = Math.floor(attacks.length / 2);
let before = inUse();
for (const [at, attack] of attacks.entries()) {
  if (at === warm) before = inUse();
  const trial = await tryAttack(runtime, attack);
  trials.push(trial);
  const { stoppedBy, runs, slowest, peak, good, expectedGood, logLines, logBytes } = trial;
  const figures = [
    attack.name.padEnd(30),
    stoppedBy.padEnd(10),
    String(runs).padStart(4),
    `${slowest.toFixed(0)} ms`.padStart(8),
    `${mebibytes(peak)} MiB`.padStart(8),
    `${good}/${expectedGood}`.padStart(6),
    ` ${logLines} lines, ${Math.ceil(logBytes / 1024)} KiB`,
  ];
  say(figures.join(' '));
  if (trial.error) say(`    ${trial.error.replace(/[^\x20-\x7e\u2026]/g, '?').slice(0, 150)}`);
  if (at % 25 === 24) say(`    (host: ${mebibytes(inUse().rss)} MiB resident, ${mebibytes(inUse().heap)} MiB in use)`);
  for (const fault of trial.faults) say(`  ! ${fault.slice(0, 500)}`);
}
const after = inUse();
await runtime.stop();
rmSync(place, { recursive: true, force: true });

const sum = (of: (trial: Trial) => number) => trials.reduce((total, trial) => total + of(trial), 0);
const faulty = trials.filter(trial => trial.faults.length > 0);
const grown = after.rss - before.rss;
/** Pages that the allocator keeps. */
const tolerance = 32 << 20;
const flat = grown < tolerance && after.heap - before.heap < 8 << 20;
say('');
say(`${trials.length} attacks in ${Math.round((performance.now() - started) / 1000)} s`);
say(`late answers            ${sum(trial => trial.late)}`);
say(`host crashes            ${crashes}`);
say(`good contributions      ${sum(trial => trial.good)} of ${sum(trial => trial.expectedGood)}`);
say(`slowest answer          ${Math.max(...trials.map(trial => trial.slowest)).toFixed(0)} ms of 2000`);
say(`largest sandbox         ${mebibytes(Math.max(...trials.map(trial => trial.peak)))} MiB`);
say(
  `host memory             ${mebibytes(before.rss)} -> ${mebibytes(after.rss)} MiB resident, ` +
    `${mebibytes(before.heap)} -> ${mebibytes(after.heap)} MiB in use: ${flat ? 'flat' : 'grown'}`,
);
say(
  `as expected             ${trials.length - faulty.length} of ${trials.length}${faulty.map(trial => `, not ${trial.attack.name}`).join('')}`,
);
process.exit(faulty.length === 0 && crashes === 0 && flat ? 0 : 1);
