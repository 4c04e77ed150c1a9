import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createQuarantine } from '../../src/host/quarantine.ts';

function clocked() {
  const clock = { now: 0 };
  const log: string[] = [];
  const quarantine = createQuarantine(() => clock.now, {
    onSetAside: (name, pause) => log.push(`${name} ${pause}`),
    onRelease: (name, why) => log.push(`${name}: ${why}`),
  });
  return { clock, log, quarantine };
}

test('the third timeout in a row sets a script aside, and a run that goes well forgets the first two', () => {
  const { quarantine, log } = clocked();
  for (const fault of ['slow', 'slow', 'none', 'slow', 'slow'] as const) quarantine.record('a', fault, 'timeout');
  assert.ok(quarantine.admits('a'));
  quarantine.record('a', 'slow', 'timeout');
  assert.ok(!quarantine.admits('a'));
  assert.deepEqual(log, ['a 5000']);
});

test('a crash is forgiven once, as it may be somebody else’s doing', () => {
  const { quarantine } = clocked();
  quarantine.record('a', 'crash', 'ended by SIGKILL');
  assert.ok(quarantine.admits('a'));
  quarantine.record('a', 'crash', 'ended by SIGSEGV');
  assert.ok(!quarantine.admits('a'));
});

test('a script whose process had to be ended is set aside at once, the others are not', () => {
  const { quarantine } = clocked();
  quarantine.record('a', 'hang', 'killed');
  assert.deepEqual([quarantine.admits('a'), quarantine.admits('b')], [false, true]);
});

test('after a pause there is one try, and each further fault doubles the pause, up to ten minutes', () => {
  const { quarantine, clock, log } = clocked();
  for (let i = 0; i < 10; i++) {
    quarantine.record('a', i % 2 ? 'slow' : 'hang', 'x');
    assert.ok(!quarantine.admits('a'));
    clock.now += quarantine.list()[0]!.untilMillis;
    assert.ok(quarantine.admits('a'));
  }
  assert.deepEqual(
    log.map(line => Number(line.split(' ')[1])),
    [5000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 600_000, 600_000],
  );
});

test('a run that goes well, or a changed file, releases a script and starts it anew', () => {
  const { quarantine, clock, log } = clocked();
  quarantine.record('a', 'hang', 'x');
  clock.now = 5000;
  quarantine.record('a', 'none', '');
  quarantine.record('b', 'hang', 'x');
  quarantine.release('b');
  assert.deepEqual(quarantine.list(), []);
  assert.ok(quarantine.admits('b'));
  assert.deepEqual(log, ['a 5000', 'a: a run went well', 'b 5000', 'b: its file changed']);
});
