import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareOf } from '../../src/sandbox/share.ts';

test('a script has its own timeout while there is time', () => {
  assert.equal(shareOf(100, 1800, 3), 100);
});

test('a long timeout leaves time for those that come after, and the last one gets all that is left', () => {
  assert.equal(shareOf(5000, 1800, 3), 900);
  assert.equal(shareOf(5000, 1800, 1), 1800);
});

test('many that hang leave time for the last', () => {
  let left = 1800;
  for (let scripts = 10; scripts > 1; scripts--) left -= shareOf(5000, left, scripts);
  assert.ok(left > 20);
});

test('when no time is left there is none to share', () => {
  assert.equal(shareOf(100, -5, 2), 0);
});
