import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCodec } from '../../src/nri/index.ts';
import { encodeFrame } from '../../src/sandbox/frame.ts';
import type { Reply } from '../../src/sandbox/protocol.ts';
import { childFramesTarget, takesSoundly } from './child-frames.ts';
import { shrink, type Target, watchFaults } from './failure.ts';
import { createRandom } from './random.ts';
import { composesSoundly, resultsTarget } from './results.ts';
import { readsSoundly, settingsTarget } from './settings.ts';
import { captureTraffic } from './traffic.ts';
import { wireTarget, withstands } from './wire.ts';

/** The cases are always the same ones. */
async function cases(target: Target, count: number): Promise<void> {
  const seeds = createRandom(20_261_124);
  for (let n = 0; n < count; n++) await target.run(seeds.fork());
}

test('spoiled traffic never gets past a session: 100 sessions', async () => {
  const faults = watchFaults();
  try {
    await cases(wireTarget(await captureTraffic(), faults), 100);
  } finally {
    faults.stop();
  }
});

test('random results never break composition: 3000 events', () => cases(resultsTarget(), 3000));

test('random settings files are read or refused: 1500 files', () => cases(settingsTarget, 1500));

test('spoiled frames of a sandbox process are taken or refused: 300 streams', () => cases(childFramesTarget, 300));

// What was found.

test('a reply whose type cannot be made a text is refused as any other', () => {
  const frame = encodeFrame({ type: { toString: 1 } } as unknown as Reply);
  assert.equal(takesSoundly([frame]), undefined);
});

test('an empty first argument does not reach the runtime, which would drop it', () => {
  const scripts = [{ text: '{"result":{"adjust":{"args":["","-"]}}}', allow: ['args'], shadow: false }];
  assert.equal(composesSoundly(createCodec(), { event: 'create', nriVersion: '0.11.0', scripts }), undefined);
});

test('a configuration that contains itself is a problem of the file', () => {
  assert.equal(readsSoundly('config: &c { self: *c }'), undefined);
});

// The fuzzer itself.

test('a session that is not answered is found, and what is not needed for it is left out', async () => {
  const faults = watchFaults();
  try {
    // A message that announces more than comes keeps the session from answering what follows.
    const lie = Buffer.from('0000000100000010000010000000000101000a04', 'hex');
    const noise = Buffer.from('0000000700000001ff', 'hex');
    const attack = { isFramed: true, reads: true, handlersSeed: 1 };
    const fails = async (chunks: Buffer[]) => (await withstands({ ...attack, chunks }, faults)) !== undefined;
    assert.deepEqual(await shrink([noise, noise, lie, noise], fails), [lie]);
  } finally {
    faults.stop();
  }
});
