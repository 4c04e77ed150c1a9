import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createClient, type Handler, payloadLengthMax, type ServerRequest, serve, statusCode, TtrpcError } from '../../src/ttrpc/index.ts';
import { collect, hex, socketPair } from './pipe.ts';

const ping = { service: 's', method: 'm', payload: Buffer.from('p') };
const echo: Handler = ({ payload }) => payload;
const code = (expected: number) => (error: unknown) => error instanceof TtrpcError && error.code === expected;

async function pair(t: TestContext, handler: Handler, limits = {}) {
  const [near, far] = await socketPair(t);
  return { client: createClient(near), server: serve(far, handler, limits), near, far };
}

/** A raw peer of a server: sends bytes, reads frames. */
async function rawPeer(t: TestContext, handler: Handler) {
  const [near, far] = await socketPair(t);
  serve(far, handler);
  const peer = collect(near);
  return {
    send: (bytes: string) => near.write(hex(bytes)),
    async receive() {
      const header = await peer.take(10);
      return Buffer.concat([header, await peer.take(header.readUInt32BE(0))]).toString('hex');
    },
    async status() {
      const frame = hex(await this.receive());
      return { streamId: frame.readUInt32BE(4), code: frame[13] };
    },
  };
}

const request = (streamId: string) => `00000006 ${streamId} 01 00 0a0173 12016d`;

test('a handler sees the request and its reply reaches the caller', async t => {
  let seen: ServerRequest | undefined;
  const { client } = await pair(t, request => {
    seen = request;
    return Buffer.from('pong');
  });
  const before = performance.now();
  const metadata = new Map([['traceparent', ['00-a-b-01']]]);
  assert.equal(String(await client.call({ ...ping, timeoutMs: 2000, metadata })), 'pong');
  assert.equal(seen!.service, 's');
  assert.equal(seen!.method, 'm');
  assert.equal(String(seen!.payload), 'p');
  assert.equal(seen!.timeoutNano, 2e9);
  assert.equal(seen!.deadline, seen!.receivedAt + 2000);
  assert.ok(seen!.receivedAt >= before && seen!.receivedAt <= performance.now());
  assert.deepEqual(seen!.metadata, metadata);
});

test('without a timeout the deadline is infinite', async t => {
  const { client } = await pair(t, request => Buffer.from(String(request.deadline)));
  assert.equal(String(await client.call(ping)), 'Infinity');
});

test('replies are on the wire as Go writes them', async t => {
  const replies: Handler[] = [
    () => hex('1008'),
    () => new Uint8Array(0),
    () => {
      throw new Error('boom');
    },
  ];
  const peer = await rawPeer(t, request => replies.shift()!(request));
  for (const [streamId, expected] of [
    ['00000001', '00000004 00000001 02 00 12021008'],
    ['00000003', '00000000 00000003 02 00'],
    ['00000005', '0000000a 00000005 02 00 0a0808021204626f6f6d'],
  ]) {
    peer.send(request(streamId!));
    assert.equal(await peer.receive(), expected!.replaceAll(' ', ''));
  }
});

test('requests are answered as they get ready, not in order', async t => {
  const slow = Promise.withResolvers<Uint8Array>();
  const { client } = await pair(t, ({ method }) => (method === 'slow' ? slow.promise : Buffer.from('fast')));
  const first = client.call({ ...ping, method: 'slow' });
  assert.equal(String(await client.call(ping)), 'fast');
  slow.resolve(Buffer.from('slow'));
  assert.equal(String(await first), 'slow');
});

test("a TtrpcError's code is the status, any other error is Unknown", async t => {
  const { client } = await pair(t, async ({ method }) => {
    if (method === 'coded') throw new TtrpcError(statusCode.Unimplemented, 'not here');
    if (method === 'nothing') throw Object.create(null);
    throw new Error('boom');
  });
  await assert.rejects(client.call({ ...ping, method: 'coded' }), {
    code: 12,
    message: 'not here',
    origin: 'remote',
    status: 'Unimplemented',
  });
  await assert.rejects(client.call(ping), { code: 2, message: 'boom' });
  await assert.rejects(client.call({ ...ping, method: 'nothing' }), { code: 2 });
});

test('a handler that throws with code OK does not report success', async t => {
  const { client } = await pair(t, () => {
    throw new TtrpcError(statusCode.OK, 'odd');
  });
  await assert.rejects(client.call(ping), code(statusCode.Unknown));
});

test('a handler that returns nothing is an Internal error', async t => {
  const { client } = await pair(t, (() => undefined) as unknown as Handler);
  await assert.rejects(client.call(ping), code(statusCode.Internal));
});

test('a reply over 4 MiB becomes ResourceExhausted, and so does an endless error message become a short one', async t => {
  const { client } = await pair(t, ({ method }) => {
    if (method === 'large') return Buffer.alloc(payloadLengthMax + 1);
    throw new Error('x'.repeat(payloadLengthMax));
  });
  await assert.rejects(client.call({ ...ping, method: 'large' }), code(statusCode.ResourceExhausted));
  await assert.rejects(client.call(ping), error => code(statusCode.Unknown)(error) && (error as Error).message.length < 20_000);
});

test('a request of the largest size comes through', async t => {
  const { client } = await pair(t, ({ payload }) => Buffer.from(String(payload.length)));
  const length = payloadLengthMax - 3 - 3 - 5;
  assert.equal(String(await client.call({ ...ping, payload: Buffer.alloc(length) })), String(length));
});

test('a request over 4 MiB gets ResourceExhausted and the connection goes on', async t => {
  const [near, far] = await socketPair(t);
  serve(far, echo);
  const peer = collect(near);
  const header = hex('00000000 00000001 01 00');
  header.writeUInt32BE(payloadLengthMax + 1, 0);
  near.write(Buffer.concat([header, Buffer.alloc(payloadLengthMax + 1), hex('00000003 00000003 01 00 1a01aa')]));
  const refusal = await peer.take(10);
  assert.equal(refusal.readUInt32BE(4), 1);
  assert.equal((await peer.take(refusal.readUInt32BE(0)))[3], statusCode.ResourceExhausted);
  assert.deepEqual(await peer.take(13), hex('00000003 00000003 02 00 1201aa'));
});

test('even, repeated and decreasing stream ids are InvalidArgument', async t => {
  const peer = await rawPeer(t, echo);
  peer.send(request('00000064'));
  assert.deepEqual(await peer.status(), { streamId: 100, code: statusCode.InvalidArgument });
  peer.send(request('00000007'));
  assert.equal(await peer.receive(), '00000000000000070200');
  for (const again of ['00000007', '00000005']) {
    peer.send(request(again));
    assert.deepEqual(await peer.status(), { streamId: Number(again), code: statusCode.InvalidArgument });
  }
  peer.send(request('ffffffff'));
  assert.equal(await peer.receive(), '00000000ffffffff0200');
});

test('a malformed request is InvalidArgument and the connection goes on', async t => {
  const peer = await rawPeer(t, echo);
  peer.send('00000002 00000001 01 00 0aff');
  assert.deepEqual(await peer.status(), { streamId: 1, code: statusCode.InvalidArgument });
  peer.send(request('00000003'));
  assert.equal(await peer.receive(), '00000000000000030200');
});

test('a streaming call is Unimplemented, its data InvalidArgument', async t => {
  const peer = await rawPeer(t, echo);
  peer.send('00000006 00000001 01 02 0a0173 12016d');
  assert.deepEqual(await peer.status(), { streamId: 1, code: statusCode.Unimplemented });
  peer.send('00000000 00000001 03 05');
  assert.deepEqual(await peer.status(), { streamId: 1, code: statusCode.InvalidArgument });
});

test('frames of unknown types are ignored', async t => {
  const peer = await rawPeer(t, echo);
  peer.send(`00000001 00000002 09 00 ff 00000000 00000001 02 00 ${request('00000001')}`);
  assert.equal(await peer.receive(), '00000000000000010200');
});

test('only so many requests are handled at once, and the others wait their turn', async t => {
  const waiting: Array<() => void> = [];
  let most = 0;
  const { client } = await pair(
    t,
    async () => {
      const turn = Promise.withResolvers<void>();
      most = Math.max(most, waiting.push(turn.resolve));
      await turn.promise;
      return Buffer.from('done');
    },
    { concurrent: 3 },
  );
  const calls = Promise.all(Array.from({ length: 20 }, () => client.call(ping)));
  let done = false;
  calls.then(() => {
    done = true;
  });
  while (!done) {
    await new Promise(setImmediate);
    waiting.shift()?.();
  }
  assert.equal(most, 3);
  assert.equal((await calls).length, 20);
});

test('a peer that does not read is not served into memory', async t => {
  const [near, far] = await socketPair(t);
  let handled = 0;
  serve(
    far,
    () => {
      handled++;
      return Buffer.alloc(1 << 18);
    },
    { unwritten: 2 << 18 },
  );
  for (let id = 1; id < 200; id += 2) near.write(hex(request(id.toString(16).padStart(8, '0'))));
  while (far.writableLength < 2 << 18) await new Promise(setImmediate);
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.ok(handled < 10, `${handled} replies were made`);
  const peer = collect(near);
  for (let reply = 0; reply < 100; reply++) await peer.take(10 + 4 + (1 << 18));
  assert.equal(handled, 100);
});

test("a request's signal is aborted at its deadline", async t => {
  const aborted = Promise.withResolvers<TtrpcError>();
  const { client } = await pair(t, ({ signal }) => {
    signal.addEventListener('abort', () => aborted.resolve(signal.reason as TtrpcError));
    return new Promise(() => {});
  });
  await assert.rejects(client.call({ ...ping, timeoutMs: 10 }), code(statusCode.DeadlineExceeded));
  assert.equal((await aborted.promise).status, 'DeadlineExceeded');
});

test("a request's signal is aborted when the connection ends", async t => {
  const aborted = Promise.withResolvers<unknown>();
  const { client, server } = await pair(t, ({ signal }) => {
    signal.addEventListener('abort', () => aborted.resolve(signal.reason));
    return new Promise(() => {});
  });
  const call = client.call(ping);
  await new Promise(setImmediate);
  client.close();
  await assert.rejects(call);
  assert.ok((await aborted.promise) instanceof TtrpcError);
  assert.equal(await server.closed, undefined);
});

test('garbage ends in refusals or silence, never in an exception', async t => {
  const [near, far] = await socketPair(t);
  const server = serve(far, echo);
  collect(near);
  let seed = 42;
  const noise = Buffer.from(
    new Uint8Array(200_000).map(() => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return seed >> 16;
    }),
  );
  for (let at = 0; at < noise.length; at += 1000) noise.writeUInt32BE(990, at);
  near.end(noise);
  await server.closed;
});

test('close destroys the stream and resolves closed', async t => {
  const { server, far } = await pair(t, echo);
  server.close();
  assert.equal(await server.closed, undefined);
  assert.ok(far.destroyed);
});
