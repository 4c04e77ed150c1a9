import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Confinement, confine } from '../../src/sandbox/confinement.ts';
import { monotonicNow } from '../../src/sandbox/index.ts';
import { eventually } from '../support/eventually.ts';
import { folder } from '../support/folder.ts';
import { sandboxBench } from '../support/sandbox.ts';

const fixture = fileURLToPath(new URL('./hostile-child.fixture.ts', import.meta.url));
const unconfined = confine({ user: -1, capabilities: 0n, readable: true, ownUser: 1, find: () => undefined, works: () => false });
/** Node runs the fixture, and takes the real command line as its arguments. */
const doing = (...words: string[]): Confinement => ({ ...unconfined, prefix: [process.execPath, fixture, ...words] });

const deeds: Array<[deed: string, reason: RegExp]> = [
  ['answers for another script', /answered for another script/],
  ['says that it is done before it is', /answered for another script/],
  ['answers for the same script twice', /answered for another script/],
  ['answers something else', /answered for another script/],
  ['says again that it is ready', /answered for another script/],
  ['logs for another script', /spoke for another script/],
  ['looks up for another script', /spoke for another script/],
  ['logs without end', /flooded the log/],
  ['asks without end', /asked (for more than it may|again before it had read)/],
  ['sends nonsense without end', /not the protocol/],
  ['begins a frame and trickles', /no progress|bells with no frame behind them/],
  ['rings for nothing without end', /no progress|bells with no frame behind them/],
  ['says all without ringing once', /flooded the log/],
  ['writes to stderr without end', /too much to stderr/],
  ['closes its channel', /ended with code 7/],
];

for (const [deed, reason] of deeds) {
  test(`a process that ${deed} is ended, and the event is over in time`, async t => {
    const large = JSON.stringify('x'.repeat(1 << 20));
    const bench = sandboxBench(t, () => large, { confinement: doing(deed) });
    await bench.load('a', '');
    const before = process.memoryUsage.rss();
    const deadline = monotonicNow() + 3000;
    await bench.run(['a'], { deadline });
    assert.ok(monotonicNow() < deadline + 200);
    await eventually(
      () => bench.ended,
      ended => ended.length > 0,
    );
    assert.match(bench.ended[0]!, reason);
    assert.ok(bench.logs.length <= 101);
    assert.ok(process.memoryUsage.rss() < before + (128 << 20));
  });
}

test('a process that goes on after it is done is ended, and what it said is not taken', async t => {
  const bench = sandboxBench(t, undefined, { confinement: doing('goes on after it is done') });
  await bench.load('a', '');
  await bench.run(['a']);
  await eventually(
    () => bench.ended,
    ended => ended.length > 0,
  );
  assert.match(bench.ended[0]!, /without being asked|answered something else|flooded/);
  assert.ok(bench.logs.length <= 101);
});

test('an event that comes while contexts are made is knocked for, and runs', async t => {
  const bench = sandboxBench(t, undefined, { confinement: doing('makes no context until it is knocked for') });
  await bench.load('a', '');
  // The first leaves a script that needs a context behind, and the process at work on it for as long as nobody knocks.
  for (let n = 0; n < 3; n++) assert.equal((await bench.run(['a']))[0]?.outcome, 'ok');
  assert.deepEqual(bench.ended, []);
});

test('a process that trickles when nobody asks is ended', async t => {
  const bench = sandboxBench(t, undefined, { confinement: doing('trickles a frame when nobody asks') });
  await bench.load('a', '');
  assert.equal((await bench.run(['a']))[0]?.outcome, 'ok');
  await eventually(
    () => bench.ended,
    ended => ended.length > 0,
  );
  assert.match(bench.ended[0]!, /bells with no frame behind them|without being asked/);
});

test('a process that ends while it makes contexts costs no script its next event', async t => {
  const mark = join(folder(t).path, 'mark');
  const bench = sandboxBench(t, undefined, { confinement: doing('ends when it is to make a context first', mark) });
  for (const id of ['a', 'b']) await bench.load(id, '');
  await bench.run(['a', 'b']);
  await eventually(
    () => bench.ended,
    ended => ended.length > 0,
  );
  for (let n = 0; n < 3; n++)
    assert.deepEqual(
      (await bench.run(['a', 'b'])).map(run => run.outcome),
      ['ok', 'ok'],
    );
  assert.equal(bench.ended.length, 1);
});
