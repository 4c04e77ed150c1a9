import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGoReader } from '../../src/nri/go-reader.ts';
import { createMux } from '../../src/nri/mux.ts';
import { createClient, serve, statusCode } from '../../src/ttrpc/index.ts';
import { collect, hex, socketPair } from '../ttrpc/pipe.ts';

const frame = (connId: number, bytes: Uint8Array) => {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(connId, 0);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
};
const turn = () => new Promise(setImmediate);

/** A ttrpc message with `length` bytes of payload. */
const message = (length: number) => {
  const bytes = Buffer.alloc(10 + length, 7);
  bytes.writeUInt32BE(length, 0);
  return bytes;
};

test('a frame is connection id, length, bytes', async t => {
  const [near, far] = await socketPair(t);
  createMux(near).open(1).write(hex('00000004 00000001 02 00 12021008'));
  assert.deepEqual(await collect(far).take(22), hex('00000001 0000000e 00000004 00000001 02 00 12021008'));
});

test('a long message leaves as its header and then the rest', async t => {
  const [near, far] = await socketPair(t);
  const long = message(10_000);
  createMux(near).open(2).write(long);
  const peer = collect(far);
  assert.deepEqual(await peer.take(18), frame(2, long.subarray(0, 10)));
  assert.deepEqual(await peer.take(8 + 10_000), frame(2, long.subarray(10)));
});

test("in Go's layout a long message leaves as 4096 bytes and then the rest", async t => {
  const [near, far] = await socketPair(t);
  const long = message(102_400);
  createMux(near, { layout: 'go' }).open(1).write(long);
  const peer = collect(far);
  assert.deepEqual(await peer.take(8 + 4096), frame(1, long.subarray(0, 4096)));
  assert.deepEqual(await peer.take(8 + 98_314), frame(1, long.subarray(4096)));
});

test('each write has its own frames', async t => {
  const [near, far] = await socketPair(t);
  const channel = createMux(near).open(1);
  const parts = [message(3), message(5000), message(0), message(4086)];
  for (const part of parts) channel.write(part);
  const expected = Buffer.concat([
    frame(1, parts[0]!),
    frame(1, parts[1]!.subarray(0, 10)),
    frame(1, parts[1]!.subarray(10)),
    frame(1, parts[2]!),
    frame(1, parts[3]!),
  ]);
  assert.deepEqual(await collect(far).take(expected.length), expected);
});

test('frames cut at every place reach their channels', async t => {
  const bytes = Buffer.concat([
    frame(1, hex('a1a2a3')),
    frame(2, hex('b1')),
    frame(7, hex('ff')),
    frame(1, hex('')),
    frame(0, hex('ee')),
    frame(1, hex('a4')),
  ]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const [near, far] = await socketPair(t);
    const mux = createMux(near);
    const [one, two] = [collect(mux.open(1)), collect(mux.open(2))];
    far.write(bytes.subarray(0, cut));
    await turn();
    far.end(bytes.subarray(cut));
    assert.deepEqual(await one.take(4), hex('a1a2a3a4'));
    assert.deepEqual(await two.take(1), hex('b1'));
    assert.equal(await mux.closed, undefined);
  }
});

test('frames for connections that are not open are dropped', async t => {
  const [near, far] = await socketPair(t);
  const mux = createMux(near);
  const channel = collect(mux.open(1));
  const dropped = mux.open(2);
  dropped.destroy();
  far.write(Buffer.concat([frame(9, Buffer.alloc(100_000)), frame(2, hex('ff')), frame(1, hex('01'))]));
  assert.deepEqual(await channel.take(1), hex('01'));
});

test('a frame longer than any runtime writes ends the connection', async t => {
  const [near, far] = await socketPair(t);
  const mux = createMux(near);
  const channel = mux.open(1);
  far.write(hex('00000001 0100000b'));
  assert.equal(((await mux.closed) as { code?: string }).code, 'NRI_PROTOCOL');
  await turn();
  assert.ok(channel.destroyed && near.destroyed);
});

test('the longest frame that an old runtime may write is taken', async t => {
  const [near, far] = await socketPair(t);
  let length = 0;
  const all = Promise.withResolvers<void>();
  createMux(near)
    .open(1)
    .on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length === (1 << 24) + 10) all.resolve();
    });
  far.write(frame(1, Buffer.alloc((1 << 24) + 10)));
  await all.promise;
});

test('a channel that nobody reads stops the trunk instead of filling memory, and nothing is lost', async t => {
  const [near, far] = await socketPair(t);
  const mux = createMux(near);
  const channel = mux.open(1);
  const piece = frame(1, Buffer.alloc(65_536));
  for (let count = 0; count < 100; count++) far.write(piece);
  while (!near.isPaused()) await turn();
  assert.ok(channel.readableLength < 2 << 20);
  let length = 0;
  const all = Promise.withResolvers<void>();
  channel.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length === 100 * 65_536) all.resolve();
  });
  await all.promise;
});

test('an unread channel that is destroyed lets the trunk flow again', async t => {
  const [near, far] = await socketPair(t);
  const mux = createMux(near);
  const unread = mux.open(1);
  const other = collect(mux.open(2));
  for (let count = 0; count < 40; count++) far.write(frame(1, Buffer.alloc(65_536)));
  far.write(frame(2, hex('01')));
  while (!near.isPaused()) await turn();
  unread.destroy();
  assert.deepEqual(await other.take(1), hex('01'));
});

test('a write waits for a peer that does not read', async t => {
  const [near, far] = await socketPair(t);
  const channel = createMux(near).open(1);
  let written = 0;
  for (let count = 0; count < 16; count++) channel.write(message(1 << 20), () => written++);
  for (let count = 0; count < 10; count++) await turn();
  assert.ok(written < 8, `${written} writes are done`);
  await collect(far).take(16 * (10 + 16 + (1 << 20)));
  while (written < 16) await turn();
});

test('all channels end with the trunk, and its error is theirs', async t => {
  const [near, far] = await socketPair(t);
  const mux = createMux(near);
  const ended = Promise.withResolvers<void>();
  mux.open(1).on('end', ended.resolve).resume();
  far.end();
  await ended.promise;
  assert.equal(await mux.closed, undefined);
  assert.ok(mux.open(3).destroyed);

  const [other] = await socketPair(t);
  const broken = createMux(other);
  const failed = Promise.withResolvers<Error>();
  broken.open(1).on('error', failed.resolve);
  other.destroy(new Error('wire cut'));
  assert.equal((await failed.promise).message, 'wire cut');
});

test('a trunk that ends within a frame is reported', async t => {
  const [near, far] = await socketPair(t);
  const mux = createMux(near);
  mux.open(1).resume();
  far.end(hex('00000001 00000005 01'));
  assert.match((await mux.closed)!.message, /within a frame/);
});

test('close lets out what was written', async t => {
  const [near, far] = await socketPair(t);
  const mux = createMux(near);
  mux.open(1).write(message(3 << 20));
  mux.close();
  await collect(far).take(16 + 10 + (3 << 20));
  await mux.closed;
});

test('close does not wait for ever on a peer that does not read', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [near] = await socketPair(t);
  const mux = createMux(near);
  mux.open(1).write(message(3 << 20));
  mux.close();
  assert.equal(near.destroyed, false);
  t.mock.timers.tick(1000);
  await mux.closed;
});

test('a connection id is open once', async t => {
  const [near] = await socketPair(t);
  const mux = createMux(near);
  mux.open(1);
  assert.throws(() => mux.open(1), RangeError);
});

/** What a Go reader makes of these frames on connection 1: undefined, or the error that it dies of. */
async function readByGo(t: Parameters<typeof socketPair>[0], frames: Uint8Array[]): Promise<string | undefined> {
  const [near, far] = await socketPair(t);
  const mux = createMux(near, { observer: createGoReader() });
  mux.open(1).resume();
  far.end(Buffer.concat(frames.map(bytes => frame(1, bytes))));
  return (await mux.closed)?.message;
}

test("Go's reader survives both layouts, and frames of at most 4096 bytes", async t => {
  const long = message(100_000);
  assert.equal(await readByGo(t, [long.subarray(0, 10), long.subarray(10), message(0)]), undefined);
  assert.equal(await readByGo(t, [long.subarray(0, 4096), long.subarray(4096), message(4086)]), undefined);
  assert.equal(
    await readByGo(
      t,
      Array.from({ length: 25 }, (_, at) => long.subarray(at * 4096, (at + 1) * 4096)),
    ),
    undefined,
  );
});

test("Go's reader dies of a long message in one frame", async t => {
  assert.match((await readByGo(t, [message(4087)]))!, /cannot allocate memory/);
  assert.equal(await readByGo(t, [message(4086)]), undefined);
});

test("Go's reader dies of a long message's tail and the next message in one frame", async t => {
  const long = message(10_000);
  assert.match((await readByGo(t, [long.subarray(0, 10), Buffer.concat([long.subarray(10), message(0)])]))!, /cannot allocate memory/);
});

test("Go's reader dies of a message that is too long for it", async t => {
  const long = message((4 << 20) + 1);
  assert.match((await readByGo(t, [long.subarray(0, 10), long.subarray(10)]))!, /cannot allocate memory/);
});

test("Go's reader dies of too many frames", async t => {
  const long = message(4096);
  const single = Array.from(long, byte => Uint8Array.of(byte));
  assert.match((await readByGo(t, single))!, /failed to queue/);
});

test('ttrpc over the mux survives a Go reader with messages of all sizes, both ways', async t => {
  const [near, far] = await socketPair(t);
  const plugin = createMux(near, { observer: createGoReader() });
  const runtime = createMux(far, { observer: createGoReader(), layout: 'go' });
  serve(plugin.open(1), ({ payload }) => payload);
  const client = createClient(runtime.open(1));
  const overhead = 10 + 2 + 1 + 2 + 1;
  const sizes = [0, 1, 4096 - overhead - 6, 4070, 4080, 4086, 4090, 4096, 4097, 8192, 65_536, 100_000, 1 << 20, (4 << 20) - 64];
  const replies = await Promise.all(sizes.map(size => client.call({ service: 's', method: 'm', payload: Buffer.alloc(size, 1) })));
  assert.deepEqual(
    replies.map(reply => reply.length),
    sizes,
  );
  await assert.rejects(client.call({ service: 's', method: 'm', payload: Buffer.alloc(4 << 20) }), { code: statusCode.ResourceExhausted });
});
