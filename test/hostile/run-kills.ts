/** Signals at random moments during many events: `npm run test:kills [-- events [seed]]`, by default 10000. Exits with 1 when one does harm. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRuntime } from '../../src/testing/index.ts';
import { killAtRandom } from './kills.ts';

const [events = 10_000, seed = 1] = process.argv.slice(2).map(Number);
const say = (line: string) => process.stdout.write(`${line}\n`);
const place = mkdtempSync(join(tmpdir(), 'nri-scripts-kills-'));
const runtime = await startRuntime({ socketPath: join(place, 'nri.sock'), requestTimeoutMs: 2000 });
const started = performance.now();
const result = await killAtRandom(runtime, {
  events,
  seed,
  pause: 2500,
  onProgress: done => done % 1000 === 0 && say(`${done} events, ${Math.round((performance.now() - started) / 1000)} s`),
});
await runtime.stop();
rmSync(place, { recursive: true, force: true });

say('');
say(`events                 ${result.events}, seed ${seed}`);
say(`signals                ${JSON.stringify(result.signals)}; sandbox processes ${result.starts}`);
say(`late answers           ${result.late}`);
say(`slowest creation       ${result.slowest.toFixed(0)} ms of 2000`);
for (const [name, outcomes] of Object.entries(result.outcomes)) say(`script ${name}               ${JSON.stringify(outcomes)}`);
say(`not explained by kills ${result.unexplained.length}`);
for (const line of [...result.unexplained.slice(0, 20), ...result.faults.slice(0, 20)]) say(`  ! ${line}`);
process.exit(result.unexplained.length + result.faults.length + result.late === 0 ? 0 : 1);
