import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { createClient, payloadLengthMax, statusCode, TtrpcError } from '../../src/ttrpc/index.ts';
import { collect, hex, socketPair } from './pipe.ts';

const ping = { service: 's', method: 'm', payload: Buffer.from('p') };
const reply = (streamId: number, text: string) => {
  const frame = Buffer.concat([hex('00000000 00000000 02 00 12 00'), Buffer.from(text)]);
  frame.writeUInt32BE(text.length + 2, 0);
  frame.writeUInt32BE(streamId, 4);
  frame[11] = text.length;
  return frame;
};
const failsWith =
  (code: number, origin: 'local' | 'remote' = 'local') =>
  (error: unknown) => {
    assert.ok(error instanceof TtrpcError, String(error));
    assert.deepEqual({ code: error.code, origin: error.origin }, { code, origin });
    return true;
  };

/** NRI's RegisterPlugin (fact B9). */
const golden = hex(`00000040 00000001 01 00
  0a1c6e72692e706b672e6170692e7631616c706861312e52756e74696d65 120e5265676973746572506c7567696e 1a0a 0a0464656d6f12023130 2080e497d012`);

test('a request is on the wire as Go writes it', async t => {
  const [near, far] = await socketPair(t);
  const peer = collect(far);
  const client = createClient(near);
  const payload = hex('0a0464656d6f12023130');
  const call = client.call({ service: 'nri.pkg.api.v1alpha1.Runtime', method: 'RegisterPlugin', payload, timeoutMs: 5000 });
  assert.deepEqual(await peer.take(golden.length), golden);
  far.write(hex('00000000 00000001 02 00'));
  assert.equal((await call).length, 0);
});

test('a reply cut at every place reaches its call', async t => {
  const [near, far] = duplexPair();
  t.after(() => near.destroy());
  collect(far);
  const client = createClient(near);
  const length = reply(1, 'hello').length;
  for (let cut = 0; cut <= length; cut++) {
    const call = client.call(ping);
    const frame = reply(cut * 2 + 1, 'hello');
    far.write(frame.subarray(0, cut));
    await new Promise(setImmediate);
    far.write(frame.subarray(cut));
    assert.equal(String(await call), 'hello');
  }
});

test('stream ids are odd and increase, and replies out of order find their calls', async t => {
  const [near, far] = await socketPair(t);
  const peer = collect(far);
  const client = createClient(near);
  const calls = [client.call(ping), client.call(ping), client.call(ping)];
  for (const expected of [1, 3, 5]) {
    const header = await peer.take(10);
    assert.equal(header.readUInt32BE(4), expected);
    await peer.take(header.readUInt32BE(0));
  }
  far.write(Buffer.concat([reply(5, 'third'), reply(1, 'first'), reply(3, 'second')]));
  assert.deepEqual((await Promise.all(calls)).map(String), ['first', 'second', 'third']);
});

test('every call is one write', async t => {
  const [near] = await socketPair(t);
  const writes: number[] = [];
  const write = near.write.bind(near) as (chunk: Buffer) => boolean;
  near.write = ((chunk: Buffer) => {
    writes.push(chunk.length);
    return write(chunk);
  }) as typeof near.write;
  const client = createClient(near);
  client.call({ ...ping, payload: Buffer.alloc(100_000) }).catch(() => {});
  client.call(ping).catch(() => {});
  assert.deepEqual(writes, [10 + 6 + 4 + 100_000, 10 + 6 + 3]);
});

test('an error status rejects with its code and message', async t => {
  const [near, far] = await socketPair(t);
  const client = createClient(near);
  const call = client.call(ping);
  far.write(hex('0000000a 00000001 02 00 0a0808021204626f6f6d'));
  await assert.rejects(call, error => failsWith(statusCode.Unknown, 'remote')(error) && (error as Error).message === 'boom');
});

test('a call without a reply rejects after its timeout, and its late reply is ignored', async t => {
  const [near, far] = await socketPair(t);
  const client = createClient(near);
  await assert.rejects(client.call({ ...ping, timeoutMs: 5 }), failsWith(statusCode.DeadlineExceeded));
  const next = client.call(ping);
  far.write(Buffer.concat([reply(1, 'late'), reply(77, 'never asked'), reply(3, 'in time')]));
  assert.equal(String(await next), 'in time');
});

test('the timeout is sent in nanoseconds', async t => {
  const [near, far] = await socketPair(t);
  const peer = collect(far);
  createClient(near)
    .call({ service: '', method: '', payload: Buffer.alloc(0), timeoutMs: 5000 })
    .catch(() => {});
  assert.equal((await peer.take(16)).subarray(10).toString('hex'), '2080e497d012');
});

test('a call with no time left is not sent', async t => {
  const [near] = await socketPair(t);
  const client = createClient(near);
  for (const timeoutMs of [0, -1, Number.NaN])
    await assert.rejects(client.call({ ...ping, timeoutMs }), failsWith(statusCode.DeadlineExceeded));
  assert.equal(near.bytesWritten, 0);
});

test('a signal gives a call up', async t => {
  const [near] = await socketPair(t);
  const client = createClient(near);
  const controller = new AbortController();
  const call = client.call({ ...ping, signal: controller.signal });
  controller.abort();
  await assert.rejects(call, failsWith(statusCode.Canceled));
  await assert.rejects(client.call({ ...ping, signal: controller.signal }), failsWith(statusCode.Canceled));
});

test('a request over 4 MiB is refused before anything is sent', async t => {
  const [near] = await socketPair(t);
  const client = createClient(near);
  await assert.rejects(client.call({ ...ping, payload: Buffer.alloc(payloadLengthMax) }), failsWith(statusCode.ResourceExhausted));
  assert.equal(near.bytesWritten, 0);
});

test('a reply over 4 MiB fails its own call only', async t => {
  const [near, far] = await socketPair(t);
  const client = createClient(near);
  const large = client.call(ping);
  const small = client.call(ping);
  const header = hex('00000000 00000001 02 00');
  header.writeUInt32BE(payloadLengthMax + 1, 0);
  far.write(Buffer.concat([header, Buffer.alloc(payloadLengthMax + 1), reply(3, 'ok')]));
  await assert.rejects(large, failsWith(statusCode.ResourceExhausted));
  assert.equal(String(await small), 'ok');
});

test('a malformed or streamed reply fails its own call only', async t => {
  const [near, far] = await socketPair(t);
  const client = createClient(near);
  const calls = [client.call(ping), client.call(ping), client.call(ping)] as const;
  far.write(Buffer.concat([hex('00000002 00000001 02 00 0aff'), hex('00000000 00000003 03 00'), reply(5, 'ok')]));
  await assert.rejects(calls[0], failsWith(statusCode.Internal));
  await assert.rejects(calls[1], failsWith(statusCode.Internal));
  assert.equal(String(await calls[2]), 'ok');
});

test('frames of unknown types are ignored', async t => {
  const [near, far] = await socketPair(t);
  const call = createClient(near).call(ping);
  far.write(Buffer.concat([hex('00000001 00000001 09 00 ff'), hex('00000001 00000001 01 00 ff'), reply(1, 'ok')]));
  assert.equal(String(await call), 'ok');
});

test('all open calls reject when the stream ends', async t => {
  const [near, far] = await socketPair(t);
  const client = createClient(near);
  const calls = [client.call(ping), client.call({ ...ping, timeoutMs: 60_000 })];
  far.end();
  for (const call of calls) await assert.rejects(call, failsWith(statusCode.Unavailable));
  assert.equal(await client.closed, undefined);
  await assert.rejects(client.call(ping), failsWith(statusCode.Unavailable));
});

test('a stream that ends within a message is reported', async t => {
  const [near, far] = await socketPair(t);
  const client = createClient(near);
  far.end(hex('0000'));
  assert.match((await client.closed)!.message, /within a message/);
});

test('a broken stream is the cause of the rejection', async t => {
  const [near] = await socketPair(t);
  const client = createClient(near);
  const call = client.call(ping);
  const broken = new Error('wire cut');
  near.destroy(broken);
  await assert.rejects(call, { cause: broken });
  assert.equal(await client.closed, broken);
});

test('close rejects what is open and destroys the stream', async t => {
  const [near] = await socketPair(t);
  const client = createClient(near);
  const call = client.call(ping);
  client.close();
  await assert.rejects(call, failsWith(statusCode.Unavailable));
  assert.ok(near.destroyed);
});

test('a peer that does not read stops the calls, not the process', async t => {
  const [near] = await socketPair(t);
  const client = createClient(near);
  const payload = Buffer.alloc(payloadLengthMax - 100);
  const calls = Array.from({ length: 8 }, () => client.call({ ...ping, payload }));
  const settled = Promise.allSettled(calls);
  await assert.rejects(calls.at(-1)!, failsWith(statusCode.ResourceExhausted));
  client.close();
  await settled;
});
