import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGate, createLock } from '../../src/testing/locks.ts';

test('work under a lock runs one after the other, also after a failure', async () => {
  const lock = createLock();
  const order: number[] = [];
  const step = (id: number) => async () => {
    order.push(id);
    await new Promise(resolve => setImmediate(resolve));
    order.push(-id);
  };
  const failing = lock.run(() => Promise.reject(new Error('no')));
  const rest = Promise.all([lock.run(step(1)), lock.run(step(2))]);
  await assert.rejects(failing, /no/);
  await rest;
  assert.deepEqual(order, [1, -1, 2, -2]);
});

test('exclusive work waits for what passes, and keeps back what comes later', async () => {
  const gate = createGate();
  const order: string[] = [];
  const first = Promise.withResolvers<void>();
  const passing = gate.pass(async () => {
    await first.promise;
    order.push('first');
  });
  const exclusive = gate.exclusive(async () => {
    order.push('exclusive');
  });
  const later = gate.pass(async () => {
    order.push('later');
  });
  first.resolve();
  await Promise.all([passing, exclusive, later]);
  assert.deepEqual(order, ['first', 'exclusive', 'later']);
});
