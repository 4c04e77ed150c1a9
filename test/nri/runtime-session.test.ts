import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createCodec, openRuntimeSession, type RuntimeSessionOptions } from '../../src/nri/index.ts';
import { createMux } from '../../src/nri/mux.ts';
import { createClient, type Handler, serve, statusCode, TtrpcError } from '../../src/ttrpc/index.ts';
import { socketPair } from '../ttrpc/pipe.ts';
import { container, pod } from './samples.ts';

const codec = createCodec();

/** A runtime's session, and a plugin of bare ttrpc that answers its calls with `plugin`. */
async function connect(t: TestContext, plugin: Handler, options: Partial<RuntimeSessionOptions> = {}) {
  const [near, far] = await socketPair(t);
  const session = openRuntimeSession({ stream: near, codec, ...options });
  const mux = createMux(far);
  const server = mux.open(1);
  serve(server, plugin);
  const client = createClient(mux.open(2));
  t.after(() => session.close());
  const call = (method: string, payload: Uint8Array = new Uint8Array(0)) =>
    client.call({ service: 'nri.pkg.api.v1alpha1.Runtime', method, payload, timeoutMs: 5000 });
  return {
    session,
    call,
    server,
    register: (pluginName = 'demo', pluginIdx = '10') =>
      call('RegisterPlugin', codec.encode('RegisterPluginRequest', { pluginName, pluginIdx })),
  };
}

const nothing: Handler = () => new Uint8Array(0);

test('a registration needs a name and two digits', async t => {
  for (const [name, index] of [
    ['', '10'],
    ['a b', '10'],
    ['demo', '1'],
    ['demo', '100'],
    ['demo', 'xx'],
  ] as const) {
    const { session, register } = await connect(t, nothing);
    await assert.rejects(register(name, index), { code: statusCode.Unknown, message: /invalid plugin/ });
    await assert.rejects(session.registered, { code: 'NRI_REGISTRATION_REFUSED' });
  }
});

test('an event outside of what the runtime knows gets the plugin disconnected', async t => {
  const { session } = await connect(t, () => codec.encode('ConfigureResponse', { events: 1 << 13 }));
  await assert.rejects(session.configure({ runtimeName: 'containerd', runtimeVersion: 'v2.1.0' }), /invalid plugin events: 0x2000/);
  assert.equal((await session.closed).code, 'NRI_PLUGIN_MISBEHAVED');
});

test('a mask of 0 subscribes to all', async t => {
  const { session } = await connect(t, nothing);
  await session.configure({ runtimeName: 'containerd', runtimeVersion: 'v2.2.0' });
  assert.equal(session.events, 0x3fff);
  assert.ok(session.isSubscribed('validateContainerAdjustment'));
});

test('a plugin without a method gets StateChange from then on', async t => {
  const methods: string[] = [];
  const { session } = await connect(t, ({ method }) => {
    methods.push(method);
    if (method !== 'StateChange' && method !== 'CreateContainer') throw new TtrpcError(statusCode.Unimplemented, method);
    return new Uint8Array(0);
  });
  await session.send('runPodSandbox', { pod: pod('p') });
  await session.send('startContainer', { pod: pod('p'), container: container('c') });
  await session.send('createContainer', { pod: pod('p'), container: container('c') });
  assert.deepEqual(methods, ['RunPodSandbox', 'StateChange', 'StateChange', 'CreateContainer']);
  await assert.rejects(session.send('stopContainer', {}), { code: statusCode.Unimplemented });
});

test('a plugin that does not answer in time is disconnected', async t => {
  const { session } = await connect(t, () => new Promise(() => {}), { requestTimeoutMs: 10 });
  await assert.rejects(session.send('createContainer', {}), { code: statusCode.DeadlineExceeded });
  assert.equal((await session.closed).code, 'NRI_PLUGIN_MISBEHAVED');
  await assert.rejects(session.send('createContainer', {}), { code: 'NRI_PLUGIN_MISBEHAVED' });
});

test('an error status does not disconnect, not even DeadlineExceeded', async t => {
  const { session } = await connect(t, () => {
    throw new TtrpcError(statusCode.DeadlineExceeded, 'mine');
  });
  for (let attempt = 0; attempt < 2; attempt++)
    await assert.rejects(session.send('createContainer', {}), { message: 'mine', origin: 'remote' });
});

test('a plugin that does not follow chunks is disconnected', async t => {
  const { session } = await connect(t, nothing, { synchronizeBytesMax: 500 });
  const pods = Array.from({ length: 100 }, (_, at) => pod(`p${at}`));
  await assert.rejects(session.synchronize(pods, []), /does not handle split sync requests/);
});

test('objects that are too large for any chunk fail the synchronisation', async t => {
  const { session } = await connect(t, () => codec.encode('SynchronizeResponse', { more: true }), { synchronizeBytesMax: 500 });
  await assert.rejects(session.synchronize([pod('p'.repeat(600))], []), /split messages/);
});

test('unsolicited updates are answered with those that failed', async t => {
  const { call } = await connect(t, nothing, { onUpdateContainers: update => update.filter(({ containerId }) => containerId === 'bad') });
  const update = [{ containerId: 'good' }, { containerId: 'bad' }];
  const reply = codec.decode(
    'UpdateContainersResponse',
    await call('UpdateContainers', codec.encode('UpdateContainersRequest', { update })),
  );
  assert.deepEqual(
    reply.failed!.map(({ containerId }) => containerId),
    ['bad'],
  );
  await assert.rejects(call('Nothing'), { code: statusCode.Unimplemented });
});

test('a plugin whose frames would kill a Go runtime is disconnected', async t => {
  const [near, far] = await socketPair(t);
  const session = openRuntimeSession({ stream: near, codec });
  const header = Buffer.alloc(18);
  header.writeUInt32BE(1, 0);
  header.writeUInt32BE(5010, 4);
  header.writeUInt32BE(5000, 8);
  far.write(Buffer.concat([header, Buffer.alloc(5000)]));
  const reason = await session.closed;
  assert.equal(reason.code, 'NRI_PLUGIN_MISBEHAVED');
  assert.match(reason.message, /cannot allocate memory/);
});

test('a session that is not strict takes any frames', async t => {
  const [near, far] = await socketPair(t);
  const session = openRuntimeSession({ stream: near, codec, strict: false });
  const payload = codec.encode('RegisterPluginRequest', { pluginName: 'x'.repeat(5000), pluginIdx: '10' });
  const wire: Buffer[] = [];
  const client = createClient(createMux(far).open(2));
  const write = far.write.bind(far) as (chunk: Buffer) => boolean;
  far.write = ((chunk: Buffer) => wire.push(chunk)) as unknown as typeof far.write;
  client.call({ service: 'nri.pkg.api.v1alpha1.Runtime', method: 'RegisterPlugin', payload }).catch(() => {});
  await new Promise(setImmediate);
  const bytes = Buffer.concat(wire);
  const joined = Buffer.concat([bytes.subarray(0, 18), bytes.subarray(26)]);
  joined.writeUInt32BE(joined.length - 8, 4);
  write(joined);
  assert.equal((await session.registered).pluginName.length, 5000);
});
