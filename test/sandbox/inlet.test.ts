import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { encodeFrame } from '../../src/sandbox/frame.ts';
import { createInlet } from '../../src/sandbox/inlet.ts';
import { eventually } from '../support/eventually.ts';
import { folder } from '../support/folder.ts';

async function pair(t: TestContext): Promise<[Socket, Socket]> {
  const path = join(folder(t).path, 'socket');
  const server = createServer().listen(path);
  t.after(() => server.close());
  await once(server, 'listening');
  const near = connect(path);
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [[Socket], unknown];
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  return [near, far];
}

const frame = encodeFrame({ type: 'ready' });

test('what a process says stays where it is until somebody looks', async t => {
  const [near, far] = await pair(t);
  const told: string[] = [];
  const inlet = createInlet(near, ({ header }) => told.push(header.type), assert.fail);
  far.write(frame);
  far.write(frame.subarray(0, 3));
  // The same bytes arrive at once where they are listened to: by then they would have here.
  const [other, end] = await pair(t);
  end.write(frame);
  await once(other, 'data');
  assert.deepEqual([told, near.bytesRead], [[], 0]);
  await eventually(
    () => {
      inlet.read();
      return told;
    },
    all => all.length > 0,
  );
  assert.deepEqual(told, ['ready']);
});

test('a socket that Node does not let us read on demand is read as it comes', async () => {
  const stream = new PassThrough();
  const told: string[] = [];
  const inlet = createInlet(
    stream as unknown as Socket,
    ({ header }) => told.push(header.type),
    () => inlet.read(),
  );
  stream.write(frame.subarray(0, 5));
  stream.write(frame.subarray(5));
  await eventually(
    () => told,
    all => all.length > 0,
  );
  assert.deepEqual(told, ['ready']);
});
