import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { createCodec, eventMask, openPluginSession, type PluginSessionOptions, type SessionState } from '../../src/nri/index.ts';
import { createMux } from '../../src/nri/mux.ts';
import { createClient, type Handler, serve, statusCode, TtrpcError } from '../../src/ttrpc/index.ts';
import { collect, hex, socketPair } from '../ttrpc/pipe.ts';
import { container, pod } from './samples.ts';

const codec = createCodec();
const service = 'nri.pkg.api.v1alpha1.Plugin';

/** A plugin's session, and a runtime of bare ttrpc that answers the plugin's calls with `runtime`. */
async function connect(t: TestContext, runtime: Handler, options: Partial<PluginSessionOptions> = {}) {
  const [near, far] = await socketPair(t);
  const mux = createMux(far, { layout: 'go' });
  const client = createClient(mux.open(1));
  serve(mux.open(2), runtime);
  const states: SessionState[] = [];
  const errors: unknown[] = [];
  const session = openPluginSession({
    stream: near,
    name: 'demo',
    index: '10',
    codec,
    handlers: { configure: () => ({ events: eventMask(['createContainer']) }), synchronize: () => undefined, event: () => undefined },
    onState: state => states.push(state),
    onError: error => errors.push(error),
    ...options,
  });
  t.after(() => session.close());
  return {
    session,
    states,
    errors,
    mux,
    call: (method: string, payload: Uint8Array = new Uint8Array(0), timeoutMs = 5000) =>
      client.call({ service, method, payload, timeoutMs }),
    client,
  };
}

const accept: Handler = () => new Uint8Array(0);

test("the registration is on the wire as Go's plugins send it", async t => {
  const [near, far] = await socketPair(t);
  const handlers = { configure: () => ({ events: 8 }), synchronize: () => undefined, event: () => undefined };
  const session = openPluginSession({ stream: near, name: 'demo', index: '10', codec, handlers, registerTimeoutMs: 5000 });
  t.after(() => session.close());
  const golden = hex(`000000020000004a 00000040000000010100
    0a1c6e72692e706b672e6170692e7631616c706861312e52756e74696d65 120e5265676973746572506c7567696e 1a0a 0a0464656d6f12023130 2080e497d012`);
  const peer = collect(far);
  assert.deepEqual(await peer.take(golden.length), golden);
  // Configure, before the reply to the registration: the answer is ConfigureResponse{events 8}.
  const configure = hex('0a1b6e72692e706b672e6170692e7631616c706861312e506c7567696e 1209436f6e666967757265');
  far.write(
    Buffer.concat([
      hex(`00000001000000${(configure.length + 10).toString(16)} 000000${configure.length.toString(16)}000000010100`),
      configure,
    ]),
  );
  assert.deepEqual(await peer.take(22), hex('000000010000000e 00000004000000010200 12021008'));
});

test('Configure and Synchronize may come before the reply to the registration', async t => {
  const runtime = Promise.withResolvers<Awaited<ReturnType<typeof connect>>>();
  const registered = Promise.withResolvers<void>();
  const connected = await connect(t, async () => {
    const { call, states } = await runtime.promise;
    assert.equal(codec.decode('ConfigureResponse', await call('Configure')).events, 8);
    await call('Synchronize');
    assert.deepEqual(states, ['synchronising', 'serving']);
    registered.resolve();
    return new Uint8Array(0);
  });
  runtime.resolve(connected);
  await registered.promise;
  assert.equal(connected.session.state, 'serving');
});

test('a refused registration ends the session with the runtime’s reason', async t => {
  const { session } = await connect(t, () => {
    throw new Error('invalid plugin index');
  });
  const reason = await session.closed;
  assert.equal(reason.code, 'NRI_REGISTRATION_REFUSED');
  assert.match(reason.message, /10-demo.*invalid plugin index/);
  assert.equal(session.state, 'closed');
});

test('a registration without an answer ends the session after its timeout', async t => {
  const { session } = await connect(t, () => new Promise(() => {}), { registerTimeoutMs: 10 });
  assert.equal((await session.closed).code, 'NRI_REGISTRATION_TIMEOUT');
});

test('a registration is waited for for two minutes, as other plugins may be ahead', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const taken = Promise.withResolvers<Uint8Array>();
  const called = Promise.withResolvers<void>();
  const { session, call } = await connect(t, () => {
    called.resolve();
    return taken.promise;
  });
  await called.promise;
  t.mock.timers.tick(119_000);
  taken.resolve(new Uint8Array(0));
  await call('Configure');
  await call('Synchronize');
  assert.equal(session.state, 'serving');
});

test('a registration that is taken and never followed by Configure ends the session', async t => {
  const { session } = await connect(t, accept, { registerTimeoutMs: 20 });
  const { code, message } = await session.closed;
  assert.equal(code, 'NRI_HANDSHAKE_FAILED');
  assert.match(message, /took the registration of 10-demo and never configured it/);
});

test('a runtime may take its time between Configure and Synchronize', async t => {
  const { session, call } = await connect(t, accept, { registerTimeoutMs: 20 });
  await call('Configure');
  await new Promise(resolve => setTimeout(resolve, 60));
  await call('Synchronize');
  assert.equal(session.state, 'serving');
});

test('a Synchronize that is answered too late ends the session: the runtime may have dropped the plugin silently', async t => {
  const { session, client } = await connect(t, accept, {
    handlers: {
      configure: () => ({ events: 8 }),
      synchronize: (_, { signal }) => new Promise(resolve => signal.addEventListener('abort', () => setTimeout(resolve, 5, undefined))),
      event: () => undefined,
    },
  });
  await client.call({ service, method: 'Configure', payload: new Uint8Array(0) });
  client.call({ service, method: 'Synchronize', payload: new Uint8Array(0), timeoutMs: 20 }).catch(() => {});
  const { code, message } = await session.closed;
  assert.equal(code, 'NRI_HANDSHAKE_FAILED');
  assert.match(message, /came \d+ ms after the runtime had given up/);
});

test('a Synchronize that lay unread until the runtime had given up ends the session, though it is answered at once', async t => {
  const { session, call } = await connect(t, accept);
  await call('Configure');
  const synchronized = call('Synchronize', undefined, 100).catch(() => {});
  // The request is on its way now; nobody reads it meanwhile.
  await Promise.resolve();
  for (const until = performance.now() + 400; performance.now() < until; );
  await synchronized;
  const { code, message } = await session.closed;
  assert.equal(code, 'NRI_HANDSHAKE_FAILED');
  assert.match(message, /after the runtime had given up/);
});

test('no update of a Synchronize can cost the registration: a runtime ignores those that fail', async t => {
  const { call } = await connect(t, accept, {
    handlers: {
      configure: () => ({ events: 8 }),
      synchronize: () => ({ update: [{ containerId: 'c', ignoreFailure: false }] }),
      event: () => undefined,
    },
  });
  await call('Configure');
  const { update } = codec.decode('SynchronizeResponse', await call('Synchronize'));
  assert.deepEqual(
    update!.map(({ containerId, ignoreFailure }) => [containerId, ignoreFailure]),
    [['c', true]],
  );
});

test('a runtime that closes during the handshake is told from one that closes later', async t => {
  const early = await connect(t, accept);
  early.mux.close();
  const reason = await early.session.closed;
  assert.equal(reason.code, 'NRI_HANDSHAKE_FAILED');
  assert.match(reason.message, /registering/);

  const late = await connect(t, accept);
  await late.call('Configure');
  await late.call('Synchronize');
  late.mux.close();
  assert.equal((await late.session.closed).code, 'NRI_CLOSED');
});

test('events that the runtime does not know are not asked for', async t => {
  const { call } = await connect(t, accept, {
    handlers: { configure: () => ({ events: 0x7fffffff }), synchronize: () => undefined, event: () => undefined },
  });
  const configure = (runtimeVersion: string) =>
    codec.encode('ConfigureRequest', {
      config: '',
      runtimeName: 'containerd',
      runtimeVersion,
      registrationTimeout: 0,
      requestTimeout: 0,
      nriVersion: '',
    });
  assert.equal(codec.decode('ConfigureResponse', await call('Configure', configure('v2.1.0'))).events, 0x7ff);
  assert.equal(codec.decode('ConfigureResponse', await call('Configure', configure('v2.2.0'))).events, 0x3fff);
});

test('each chunk of the state is answered with more, the last one with the updates', async t => {
  let seen: string[] = [];
  const { call, states } = await connect(t, accept, {
    handlers: {
      configure: () => ({ events: 8 }),
      synchronize: ({ pods, containers }) => {
        seen = [...pods, ...containers].map(({ id }) => id);
        return { update: [{ containerId: 'c2' }] };
      },
      event: () => undefined,
    },
  });
  await call('Configure');
  const chunk = (id: string, more: boolean) =>
    codec.encode('SynchronizeRequest', { pods: [pod(`p${id}`)], containers: [container(`c${id}`)], more });
  const synchronize = async (id: string, more: boolean) => codec.decode('SynchronizeResponse', await call('Synchronize', chunk(id, more)));
  assert.deepEqual(await synchronize('1', true), { update: [], more: true });
  assert.deepEqual(states, ['synchronising']);
  const last = await synchronize('2', false);
  assert.equal(last.more, false);
  assert.equal(last.update![0]!.containerId, 'c2');
  assert.deepEqual(seen, ['p1', 'p2', 'c1', 'c2']);
  await synchronize('3', false);
  assert.deepEqual(seen, ['p3', 'c3']);
});

test('more state than is accepted ends the session', async t => {
  const { call, session } = await connect(t, accept, { synchronizeBytesMax: 1000 });
  await call('Configure');
  const chunk = codec.encode('SynchronizeRequest', { pods: [pod('p'.repeat(400))], containers: [], more: true });
  await call('Synchronize', chunk);
  await call('Synchronize', chunk);
  await assert.rejects(call('Synchronize', chunk), { code: statusCode.ResourceExhausted });
  assert.equal((await session.closed).code, 'NRI_SYNCHRONIZE_TOO_LARGE');
});

test('Shutdown is answered, unknown methods and services are Unimplemented', async t => {
  const { call, client } = await connect(t, accept);
  assert.equal((await call('Shutdown')).length, 0);
  for (const method of ['FutureEvent', '', '__proto__', 'constructor'])
    await assert.rejects(call(method), { code: statusCode.Unimplemented });
  await assert.rejects(client.call({ service: 'other', method: 'Configure', payload: new Uint8Array(0) }), {
    code: statusCode.Unimplemented,
  });
});

test('an unknown StateChange is answered empty and reaches no handler', async t => {
  const seen: string[] = [];
  const { call } = await connect(t, accept, {
    handlers: {
      configure: () => ({ events: 8 }),
      synchronize: () => undefined,
      event: name => {
        seen.push(name);
        return undefined;
      },
    },
  });
  for (const event of ['UNKNOWN', '99', 'CREATE_CONTAINER'])
    assert.equal((await call('StateChange', codec.encode('StateChangeEvent', { event }))).length, 0);
  await call('StateChange', codec.encode('StateChangeEvent', { event: 'REMOVE_CONTAINER', pod: pod('p'), container: container('c') }));
  assert.deepEqual(seen, ['removeContainer']);
});

test('an event that cannot be read is answered empty', async t => {
  const { call, errors } = await connect(t, accept);
  const garbage = hex('0aff');
  for (const method of ['CreateContainer', 'StateChange', 'RemoveContainer']) assert.equal((await call(method, garbage)).length, 0);
  assert.deepEqual(
    errors.map(error => (error as { code: string }).code),
    ['NRI_MALFORMED_MESSAGE', 'NRI_MALFORMED_MESSAGE', 'NRI_MALFORMED_MESSAGE'],
  );
});

for (const method of ['Configure', 'Synchronize']) {
  test(`a ${method} that cannot be read is refused and ends the session: the runtime may have dropped the plugin silently`, async t => {
    const { call, session } = await connect(t, accept);
    await assert.rejects(call(method, hex('0aff')), { code: statusCode.InvalidArgument });
    const { code, message } = await session.closed;
    assert.deepEqual([code, message], ['NRI_HANDSHAKE_FAILED', `the runtime sent a malformed ${method}Request`]);
  });
}

test('an answer that cannot be sent becomes "no change"', async t => {
  let adjust: object = { annotations: { large: 'x'.repeat(5 << 20) } };
  const { call, errors } = await connect(t, accept, {
    handlers: { configure: () => ({ events: 8 }), synchronize: () => undefined, event: () => ({ adjust }) },
  });
  assert.equal((await call('CreateContainer')).length, 0);
  adjust = { linux: { resources: { cpu: { quota: 'much' } } } };
  assert.equal((await call('CreateContainer')).length, 0);
  adjust = { args: ['sh'] };
  assert.ok((await call('CreateContainer')).length > 0);
  assert.deepEqual(
    errors.map(error => (error as { code: string }).code),
    ['NRI_ANSWER_UNUSABLE', 'NRI_ANSWER_UNUSABLE'],
  );
});

test('the largest answer that fits is sent', async t => {
  const handlers = { configure: () => ({ events: 8 }), synchronize: () => undefined };
  const overhead = codec.encode('CreateContainerResponse', { adjust: { args: ['x'.repeat(3 << 20)] } }).length - (3 << 20);
  const length = (4 << 20) - 16 - overhead;
  const { call, errors } = await connect(t, accept, {
    handlers: { ...handlers, event: () => ({ adjust: { args: ['x'.repeat(length)] } }) },
  });
  assert.equal((await call('CreateContainer')).length, (4 << 20) - 16);
  assert.deepEqual(errors, []);
});

test('a handler knows until when the runtime waits, and its trace', async t => {
  let left = 0;
  let trace: unknown;
  const { client } = await connect(t, accept, {
    handlers: {
      configure: () => ({ events: 8 }),
      synchronize: () => undefined,
      event: (_name, _request, { deadline, receivedAt, metadata }) => {
        left = deadline - receivedAt;
        trace = metadata.get('traceparent');
        return undefined;
      },
    },
  });
  const metadata = new Map([['traceparent', ['00-1-2-01']]]);
  await client.call({ service, method: 'CreateContainer', payload: new Uint8Array(0), timeoutMs: 2000, metadata });
  assert.ok(Math.abs(left - 2000) < 0.001, String(left));
  assert.deepEqual(trace, ['00-1-2-01']);
});

test('a fault of onError or onState does not reach the runtime', async t => {
  const fault = () => {
    throw new Error('fault');
  };
  const { call } = await connect(t, accept, {
    onError: fault,
    onState: fault,
    handlers: { configure: fault, synchronize: fault, event: fault },
  });
  assert.ok((await call('Configure')).length > 0);
  assert.equal((await call('Synchronize')).length, 0);
  assert.equal((await call('CreateContainer')).length, 0);
});

test('updates are sent while the session serves, and failed ones come back', async t => {
  const seen: unknown[] = [];
  const { session, call } = await connect(t, ({ method, payload }) => {
    if (method === 'RegisterPlugin') return new Uint8Array(0);
    const { update } = codec.decode('UpdateContainersRequest', payload);
    seen.push(update!.map(({ containerId }) => containerId));
    return codec.encode('UpdateContainersResponse', { failed: update!.slice(1) });
  });
  await assert.rejects(session.updateContainers([]), { code: 'NRI_NOT_SERVING' });
  await call('Configure');
  await call('Synchronize');
  const failed = await session.updateContainers([{ containerId: 'a' }, { containerId: 'b' }]);
  assert.deepEqual(seen, [['a', 'b']]);
  assert.deepEqual(
    failed.map(({ containerId }) => containerId),
    ['b'],
  );
});

test('updates reach the runtime after the answer to the event, one at a time', async t => {
  const order: string[] = [];
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  const { session, call } = await connect(
    t,
    async ({ method, payload }) => {
      if (method === 'RegisterPlugin') return new Uint8Array(0);
      const { containerId } = codec.decode('UpdateContainersRequest', payload).update![0]!;
      order.push(`${containerId} begins`);
      await new Promise(setImmediate);
      order.push(`${containerId} ends`);
      return new Uint8Array(0);
    },
    {
      handlers: {
        configure: () => ({ events: 8 }),
        synchronize: () => undefined,
        event: async () => {
          entered.resolve();
          await leave.promise;
          return undefined;
        },
      },
    },
  );
  await call('Configure');
  await call('Synchronize');
  const event = call('CreateContainer').then(() => order.push('answer'));
  await entered.promise;
  const updates = [session.updateContainers([{ containerId: 'a' }]), session.updateContainers([{ containerId: 'b' }])];
  for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
  leave.resolve();
  await Promise.all([event, ...updates]);
  assert.deepEqual(order, ['answer', 'a begins', 'a ends', 'b begins', 'b ends']);
});

test('a failed update rejects, and the next one is sent', async t => {
  let count = 0;
  const { session, call } = await connect(t, ({ method }) => {
    if (method === 'UpdateContainers' && count++ === 0) throw new TtrpcError(statusCode.Internal, 'no such thing');
    return new Uint8Array(0);
  });
  await call('Configure');
  await call('Synchronize');
  await assert.rejects(session.updateContainers([]), { code: 'NRI_UPDATE_FAILED', message: /no such thing/ });
  assert.deepEqual(await session.updateContainers([]), []);
});

test('close ends the session, what waits in it, and the stream', async t => {
  const { session, call, mux } = await connect(t, ({ method }) =>
    method === 'UpdateContainers' ? new Promise(() => {}) : new Uint8Array(0),
  );
  await call('Configure');
  await call('Synchronize');
  const updates = [session.updateContainers([]), session.updateContainers([])];
  session.close();
  for (const update of updates) await assert.rejects(update, { code: 'NRI_CLOSED' });
  assert.equal((await session.closed).code, 'NRI_CLOSED');
  assert.equal(await mux.closed, undefined);
  await assert.rejects(session.updateContainers([]), { code: 'NRI_NOT_SERVING' });
});

test('whatever bytes come in, the session ends with a reason or goes on, and nothing is thrown', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(0, 1, 2, 9), fc.uint8Array({ maxLength: 200 })), { maxLength: 20 }),
      fc.uint8Array(),
      async (frames, rest) => {
        const [near, far] = await socketPair(t);
        const session = openPluginSession({
          stream: near,
          name: 'demo',
          index: '10',
          codec,
          handlers: { configure: () => ({ events: 8 }), synchronize: () => undefined, event: () => undefined },
        });
        far.resume();
        for (const [connId, bytes] of frames) {
          const header = Buffer.alloc(8);
          header.writeUInt32BE(connId, 0);
          header.writeUInt32BE(bytes.length, 4);
          far.write(Buffer.concat([header, bytes]));
        }
        far.end(rest);
        assert.ok((await session.closed).code.startsWith('NRI_'));
      },
    ),
    { numRuns: 100 },
  );
});
