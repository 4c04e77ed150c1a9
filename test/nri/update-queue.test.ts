import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NriError } from '../../src/nri/errors.ts';
import { createUpdateQueue, waitingMax } from '../../src/nri/update-queue.ts';

const turn = () => new Promise(setImmediate);

function recorded() {
  const sent: string[] = [];
  const replies: Array<() => void> = [];
  const queue = createUpdateQueue(async update => {
    sent.push(update[0]!.containerId);
    const reply = Promise.withResolvers<void>();
    replies.push(reply.resolve);
    await reply.promise;
    return [];
  });
  const add = (containerId: string) => queue.add([{ containerId }]);
  return { queue, sent, replies, add };
}

test('nothing is sent while an event is being answered', async () => {
  const { queue, sent, add, replies } = recorded();
  queue.hold();
  queue.hold();
  const update = add('a');
  queue.release();
  await turn();
  assert.deepEqual(sent, []);
  queue.release();
  assert.deepEqual(sent, ['a']);
  replies.shift()!();
  assert.deepEqual(await update, []);
});

test('one is sent at a time, in order', async () => {
  const { sent, add, replies } = recorded();
  const updates = [add('a'), add('b'), add('c')];
  for (const expected of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
    await turn();
    assert.deepEqual(sent, expected);
    replies.shift()!();
  }
  await Promise.all(updates);
});

test('only so many wait', async () => {
  const { queue, add } = recorded();
  queue.hold();
  const waiting = Array.from({ length: waitingMax }, () => add('a'));
  await assert.rejects(add('b'), { code: 'NRI_UPDATE_FAILED' });
  queue.close(new NriError('NRI_CLOSED', 'over'));
  for (const update of waiting) await assert.rejects(update, { code: 'NRI_CLOSED' });
});
