import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { descendants, figuresOf, judge, median } from './figures.ts';

const tolerance = { share: 0.1, amount: 1 };

test('a figure that rises in the last quarter is not flat; one that rose at the beginning or falls is', () => {
  const flat = (series: number[]) => judge(series, tolerance).isFlat;
  assert.equal(flat(Array.from({ length: 40 }, (_, n) => 100 + n)), false);
  assert.equal(flat(Array.from({ length: 40 }, (_, n) => (n < 10 ? n * 10 : 100 + (n % 3)))), true);
  assert.equal(flat(Array.from({ length: 40 }, (_, n) => 100 - n)), true);
});

test('a measurement that could not be taken does not count', () => {
  assert.deepEqual(judge([1, Number.NaN, 1, 1, 1, Number.NaN], tolerance), { isFlat: true, before: 1, after: 1 });
});

test('too few measurements are no proof', () => {
  assert.equal(judge([1, 1, 1], tolerance).isFlat, false);
});

test('median', () => {
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
});

test('a process is found with what it occupies, and is not any more when it is gone', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  assert.ok(descendants(process.pid).includes(child.pid!));
  const { fds, threads } = figuresOf(child.pid!)!;
  assert.ok(fds >= 3 && threads === 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(figuresOf(child.pid!), undefined);
});
