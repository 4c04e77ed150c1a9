import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  createCodec,
  type EventName,
  eventMask,
  eventMaskBase,
  eventNames,
  openPluginSession,
  openRuntimeSession,
  type PluginHandlers,
  type PluginSessionOptions,
  RefusalError,
  type RuntimeSessionOptions,
  type SessionState,
} from '../../src/nri/index.ts';
import { socketPair } from '../ttrpc/pipe.ts';
import { container, pod } from './samples.ts';

const codec = createCodec();

const handlers: PluginHandlers = {
  configure: () => ({ events: eventMaskBase }),
  synchronize: () => undefined,
  event: () => undefined,
};

async function connect(
  t: TestContext,
  plugin: { handlers?: Partial<PluginHandlers> } & Partial<Omit<PluginSessionOptions, 'handlers'>> = {},
  runtime: Partial<RuntimeSessionOptions> = {},
) {
  const [near, far] = await socketPair(t);
  const states: SessionState[] = [];
  const errors: unknown[] = [];
  const runtimeSession = openRuntimeSession({ stream: far, codec, ...runtime });
  const session = openPluginSession({
    stream: near,
    name: 'demo',
    index: '10',
    codec,
    onState: state => states.push(state),
    onError: error => errors.push(error),
    ...plugin,
    handlers: { ...handlers, ...plugin.handlers },
  });
  t.after(() => {
    session.close();
    runtimeSession.close();
  });
  return { session, runtime: runtimeSession, states, errors };
}

async function serving(...args: Parameters<typeof connect>) {
  const both = await connect(...args);
  await both.runtime.registered;
  await both.runtime.configure({ runtimeName: 'containerd', runtimeVersion: 'v2.2.1' });
  await both.runtime.synchronize([], []);
  return both;
}

test('a plugin registers, is configured, synchronises and serves', async t => {
  const { runtime, session, states } = await connect(t, {
    handlers: { configure: () => ({ events: eventMask(['createContainer', 'stopContainer']) }) },
  });
  assert.deepEqual(await runtime.registered, { pluginName: 'demo', pluginIdx: '10', nriVersion: '' });
  await runtime.configure({ runtimeName: 'containerd', runtimeVersion: 'v2.2.1' });
  assert.equal(runtime.events, (1 << 3) | (1 << 9));
  assert.equal(session.state, 'synchronising');
  assert.deepEqual(await runtime.synchronize([], []), []);
  assert.deepEqual(states, ['synchronising', 'serving']);
});

test('configure gets what the runtime says of itself', async t => {
  const seen: unknown[] = [];
  const { runtime } = await connect(
    t,
    {
      handlers: {
        configure: request => {
          seen.push(request);
          return { events: 1 };
        },
      },
    },
    { requestTimeoutMs: 1234 },
  );
  await runtime.registered;
  await runtime.configure({ runtimeName: 'cri-o', runtimeVersion: '1.35.0', config: 'a: b', nriVersion: 'v0.12.0' });
  const expected = { runtimeName: 'cri-o', runtimeVersion: '1.35.0', config: 'a: b', nriVersion: 'v0.12.0' };
  assert.deepEqual(seen, [{ ...expected, registrationTimeout: 5000, requestTimeout: 1234 }]);
});

for (const delivery of ['dedicated', 'state-change'] as const) {
  test(`every event reaches its handler, delivery ${delivery}`, async t => {
    const seen: Array<[EventName, unknown]> = [];
    const { runtime } = await serving(
      t,
      {
        handlers: {
          event: (name, request) => {
            seen.push([name, request]);
            return undefined;
          },
        },
      },
      { delivery },
    );
    for (const name of eventNames) assert.ok(await runtime.send(name, { pod: pod('p1'), container: container('c1') }));
    assert.deepEqual(
      seen.map(([name]) => name),
      eventNames,
    );
    for (const [name, request] of seen) {
      const { pod, container } = request as { pod: { id: string }; container?: { id: string } };
      assert.equal(pod.id, 'p1');
      if (!name.endsWith('PodSandbox')) assert.equal(container!.id, 'c1');
    }
  });
}

test("an event's answer reaches the runtime", async t => {
  const update = [{ containerId: 'c2', linux: { resources: { memory: { limit: 2n ** 62n } } }, ignoreFailure: true }];
  const { runtime } = await serving(t, {
    handlers: {
      event: name => (name === 'validateContainerAdjustment' ? { reject: true, reason: 'no' } : { adjust: { args: ['sh'] }, update }),
    },
  });
  const created = await runtime.send('createContainer', {});
  assert.deepEqual(created.adjust!.args, ['sh']);
  assert.equal(created.update![0]!.linux!.resources!.memory!.limit, 2n ** 62n);
  assert.deepEqual(await runtime.send('validateContainerAdjustment', { update: [], plugins: [] }), { reject: true, reason: 'no' });
});

test('the state may come in chunks, and the plugin synchronises once', async t => {
  const calls: number[][] = [];
  const { runtime } = await connect(
    t,
    {
      handlers: {
        synchronize: ({ pods, containers }) => {
          calls.push([pods.length, containers.length]);
          return { update: [{ containerId: containers[0]!.id }] };
        },
      },
    },
    { synchronizeBytesMax: 2000 },
  );
  await runtime.registered;
  await runtime.configure({});
  const pods = Array.from({ length: 60 }, (_, at) => pod(`p${at}`));
  const containers = Array.from({ length: 130 }, (_, at) => container(`c${at}`));
  const updates = await runtime.synchronize(pods, containers);
  assert.deepEqual(calls, [[60, 130]]);
  assert.equal(updates[0]!.containerId, 'c0');
});

test("a handler's exception becomes an empty answer, and is told", async t => {
  const { runtime, errors } = await connect(t, {
    handlers: {
      configure: () => {
        throw new Error('configure');
      },
      synchronize: () => Promise.reject(new Error('synchronize')),
      event: () => {
        throw new Error('event');
      },
    },
  });
  await runtime.registered;
  await runtime.configure({});
  assert.equal(runtime.events, eventMaskBase);
  assert.deepEqual(await runtime.synchronize([], []), []);
  assert.deepEqual(await runtime.send('createContainer', {}), { update: [], evict: [] });
  assert.deepEqual(
    errors.map(error => (error as Error).message),
    ['configure', 'synchronize', 'event'],
  );
});

test('a refusal fails the event with its message', async t => {
  const { runtime, errors } = await serving(t, { handlers: { event: () => Promise.reject(new RefusalError('guard says no')) } });
  await assert.rejects(runtime.send('createContainer', {}), { code: 2, message: 'guard says no' });
  assert.deepEqual(errors, []);
});

test('answers and requests of every length around a buffer of Go survive a strict runtime', async t => {
  let length = 0;
  const { runtime } = await serving(t, { handlers: { event: () => ({ adjust: { args: ['x'.repeat(length)] } }) } });
  for (length of [0, 4040, ...Array.from({ length: 60 }, (_, at) => 4050 + at), 8192, 65_536, 1 << 20]) {
    const answer = await runtime.send('createContainer', { container: container('c', { args: ['y'.repeat(length)] }) });
    assert.equal(answer.adjust!.args![0]!.length, length);
  }
});

test('events that overlap are answered each for itself', async t => {
  const waiting = new Map<string, () => void>();
  const { runtime } = await serving(t, {
    handlers: {
      event: async (_name, request) => {
        const { id } = (request as { pod: { id: string } }).pod;
        await new Promise<void>(resolve => waiting.set(id, resolve));
        return { adjust: { args: [id] } };
      },
    },
  });
  const events = ['a', 'b', 'c'].map(id => runtime.send('createContainer', { pod: pod(id) }));
  while (waiting.size < 3) await new Promise(setImmediate);
  for (const id of ['c', 'a', 'b']) waiting.get(id)!();
  assert.deepEqual(
    (await Promise.all(events)).map(({ adjust }) => adjust!.args),
    [['a'], ['b'], ['c']],
  );
});
