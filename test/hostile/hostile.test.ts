import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type EmbeddedRuntime, startRuntime } from '../../src/testing/index.ts';
import { readAttacks } from './attacks.ts';
import { killAtRandom } from './kills.ts';
import { tryAttack } from './trial.ts';

test('every attack says what it does and what is expected of it', () => {
  const outcomes = ['load', 'ok', 'refused', 'error', 'timeout', 'memory', 'pending', 'killed'];
  const attacks = readAttacks();
  assert.ok(attacks.length >= 60);
  for (const { name, expected } of attacks) for (const outcome of expected) assert.ok(outcomes.includes(outcome), `${name}: ${outcome}`);
});

/** Some of the quick ones; all of them: `npm run test:hostile`. */
const few = [
  'loop-sync',
  'builtin-sparse-sort',
  'bomb-resizable-buffers',
  'return-forged-tags',
  'escape-prepare-stack-trace',
  'pollute-json',
];

async function runtimeFor(t: TestContext): Promise<EmbeddedRuntime> {
  const place = mkdtempSync(join(tmpdir(), 'nri-scripts-hostile-'));
  const runtime = await startRuntime({ socketPath: join(place, 'nri.sock') });
  t.after(async () => {
    await runtime.stop();
    rmSync(place, { recursive: true, force: true });
  });
  return runtime;
}

test('an attack costs the scripts beside it nothing, and the answer is in time', async t => {
  const runtime = await runtimeFor(t);
  for (const attack of readAttacks().filter(({ name }) => few.includes(name))) {
    const { faults, good, expectedGood, late } = await tryAttack(runtime, attack);
    assert.deepEqual({ attack: attack.name, faults, good, late }, { attack: attack.name, faults: [], good: expectedGood, late: 0 });
  }
});

test('signals to the sandbox at random moments cost at most the runs that they hit', async t => {
  const { unexplained, faults, late, starts } = await killAtRandom(await runtimeFor(t), { events: 100, seed: 7, pause: 300 });
  assert.deepEqual({ unexplained, faults, late }, { unexplained: [], faults: [], late: 0 });
  assert.ok(starts > 1);
});
