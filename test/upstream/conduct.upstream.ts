/** Errors, deaths, silence and odd registrations: upstream's runtime side and the embedded runtime (NRI 0.8) answer and disconnect alike. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Container, createCodec, type EventName, eventMask } from '../../src/nri/index.ts';
import { statusCode, TtrpcError } from '../../src/ttrpc/index.ts';
import { container } from '../testing/merge-cases.ts';
import { type Cleanup, createCleanup } from './support/cleanup.ts';
import type { JudgedNode } from './support/judge.ts';
import { pod } from './support/node.ts';
import { type Answers, openRawPlugin, type RawPlugin } from './support/raw-plugin.ts';
import { type RuntimeSide, sides } from './support/runtimes.ts';
import { within } from './support/within.ts';

const codec = createCodec();
const ctr0: Container = { ...container('ctr0'), podSandboxId: pod().id };
const ctr1: Container = { ...container('ctr1'), podSandboxId: pod().id, state: 'CONTAINER_RUNNING' };
/** Long enough that a busy machine answers in time, short enough to wait for. */
const impatient: JudgedNode = { requestTimeoutMs: 700, registrationTimeoutMs: 700 };

type Stage = RuntimeSide & {
  /** Connects and registers, and waits until it serves. */
  plugin(id: string, answers: Answers, events?: EventName[]): Promise<RawPlugin>;
  /** Connects only. */
  dial(answers?: Answers): Promise<RawPlugin>;
};

/** What is observed of both must be this. */
function alike(name: string, expected: unknown, scene: (stage: Stage) => Promise<unknown>, node: JudgedNode = {}): void {
  for (const side of ['upstream', 'embedded'] as const) {
    test(`${name}: ${side}`, async t => {
      const cleanup = createCleanup();
      t.after(cleanup.run);
      const runtime = await sides[side](cleanup.add, { containers: [ctr1], ...node });
      let count = 0;
      const stage: Stage = {
        ...runtime,
        dial: (answers = {}) => openRawPlugin(cleanup.add, runtime.socketPath, answers),
        async plugin(id, answers, events = ['createContainer']) {
          const plugin = await stage.dial({ Configure: () => ({ events: eventMask(events) }), ...answers });
          assert.equal(await plugin.register(id.slice(0, 2), id.slice(3)), 'ok');
          await runtime.serving(++count);
          return plugin;
        },
      };
      assert.deepEqual(await scene(stage), expected);
    });
  }
}

function fail(code: number = statusCode.Unknown): never {
  throw new TtrpcError(code, 'boom');
}

const never = () => new Promise<object>(() => {});
const die = (plugin: RawPlugin) => {
  plugin.die();
  return never();
};
const sets = (key: string) => () => ({ adjust: { env: [{ key, value: '1' }] } });
const calls = (plugin: RawPlugin) => plugin.calls.filter(call => !/Configure|Synchronize/.test(call));
const ended = (plugin: RawPlugin) => within(10_000, 'the end of a connection', plugin.closed);
const limit = (containerId: string, limit: number) => ({ containerId, linux: { resources: { memory: { limit } } } });

const boom = 'rpc error: code = Unknown desc = boom';

alike('create: handler error; the plugin stays', [boom, boom, 2, false], async stage => {
  const a = await stage.plugin('10-A', { CreateContainer: () => fail() });
  return [await stage.create(ctr0), await stage.create(ctr0), calls(a).length, a.isClosed];
});

alike('create: A errors, B adjusts; B is not asked', [boom, []], async stage => {
  await stage.plugin('10-A', { CreateContainer: () => fail() });
  const b = await stage.plugin('20-B', { CreateContainer: sets('B') });
  return [await stage.create(ctr0), calls(b)];
});

for (const [name, code] of Object.entries(statusCode).filter(([, code]) => code > 0)) {
  alike(`create: an answer with status ${name} costs the operation and not the plugin`, [true, false], async stage => {
    const a = await stage.plugin('10-A', { CreateContainer: () => fail(code) });
    const text = await stage.create(ctr0);
    return [text === `rpc error: code = ${goNameOf(name)} desc = boom`, a.isClosed];
  });
}

/** Go's name of one code. */
function goNameOf(name: string): string {
  return name === 'Cancelled' ? 'Canceled' : name;
}

const stateChanges: EventName[] = [
  'runPodSandbox',
  'stopPodSandbox',
  'removePodSandbox',
  'postCreateContainer',
  'startContainer',
  'postStartContainer',
  'postUpdateContainer',
  'removeContainer',
];

alike(
  'every other event: handler error; the next plugin is not asked, and both stay',
  [[...stateChanges.map(event => [event, boom]), ['stopContainer', boom]], [], false, false],
  async stage => {
    const events: EventName[] = [...stateChanges, 'stopContainer'];
    const a = await stage.plugin('10-A', { StateChange: () => fail(), StopContainer: () => fail() }, events);
    const b = await stage.plugin('20-B', {}, events);
    const outcomes = [];
    for (const event of events) outcomes.push([event, await stage.send(event, /Pod/.test(event) ? undefined : ctr1)]);
    return [outcomes, calls(b), a.isClosed, b.isClosed];
  },
);

alike('update: handler error', boom, async stage => {
  await stage.plugin('10-A', { UpdateContainer: () => fail() }, ['updateContainer']);
  return stage.update(ctr1, { cpu: { shares: 1 } });
});

for (const [how, answer, reason] of [
  ['takes longer than the request timeout', never, 'context deadline exceeded'],
  ['exits during the call', die, 'ttrpc: closed'],
] as const) {
  const ending = (what: string) => [`closing plugin 10-A, failed to handle ${what}: ${reason}`, 'connection to plugin "10-A" closed'];
  const patient = how.startsWith('exits') ? {} : impatient;

  alike(
    `create: A ${how}, B adjusts`,
    ['B=1', ending('CreateContainer request'), 1, ['CreateContainer', 'CreateContainer']],
    async stage => {
      const a = await stage.plugin('10-A', { CreateContainer: answer });
      const b = await stage.plugin('20-B', { CreateContainer: sets('B') });
      const first = await stage.create(ctr0);
      await ended(a);
      await stage.create({ ...ctr0, id: 'ctr2' });
      return [first, await settled(stage, 2), calls(a).length, calls(b)];
    },
    patient,
  );

  alike(
    `update: A ${how}, B updates`,
    ['[{"containerId":"ctr1","linux":{"resources":{"memory":{"limit":{"value":"2"}}}}}]', ending('UpdateContainer request')],
    async stage => {
      const a = await stage.plugin('10-A', { UpdateContainer: answer }, ['updateContainer']);
      await stage.plugin('20-B', { UpdateContainer: () => ({ update: [limit('ctr1', 2)] }) }, ['updateContainer']);
      const outcome = await stage.update(ctr1, {});
      await ended(a);
      return [outcome.replace('"limit":2', '"limit":{"value":"2"}'), await settled(stage, 2)];
    },
    patient,
  );

  for (const event of ['stopContainer', 'startContainer', 'runPodSandbox'] as const) {
    const number = { stopContainer: 'StopContainer request', startContainer: 'event 6', runPodSandbox: 'event 1' }[event];
    alike(
      `${event}: A ${how}, B is asked`,
      ['ok', 1, ending(number)],
      async stage => {
        const a = await stage.plugin('10-A', { StateChange: answer, StopContainer: answer }, [event]);
        const b = await stage.plugin('20-B', {}, [event]);
        const outcome = await stage.send(event, event === 'runPodSandbox' ? undefined : ctr1);
        await ended(a);
        return [outcome, calls(b).length, await settled(stage, 2)];
      },
      patient,
    );
  }
}

alike('an answer that is no message fails the operation, and the plugin stays', [true, false], async stage => {
  const a = await stage.plugin('10-A', { CreateContainer: () => Uint8Array.of(0x12, 0xff) });
  const text = await stage.create(ctr0);
  return [/cannot parse|malformed/.test(text), a.isClosed];
});

alike('what is not subscribed is not sent, and a subscription of nothing is one of all', [[], ['CreateContainer']], async stage => {
  const a = await stage.plugin('10-A', {}, ['removePodSandbox']);
  const b = await stage.plugin('20-B', {}, []);
  await stage.create(ctr0);
  return [calls(a), calls(b).slice(0, 1)];
});

const handshakeFailed = (reason: string) => [`connection to plugin "10-A" closed`, reason];

for (const [name, answers, line] of [
  ['Configure: handler error', { Configure: () => fail() }, `failed to start external plugin: failed to configure plugin: ${boom}`],
  [
    'Configure: later events than there are',
    { Configure: () => ({ events: 0x3fff }) },
    'failed to start external plugin: invalid plugin events: 0x3800',
  ],
  [
    'Configure: no answer in time',
    { Configure: never },
    'failed to start external plugin: failed to configure plugin: context deadline exceeded',
  ],
  ['Configure: A exits', { Configure: die }, 'failed to start external plugin: failed to configure plugin: ttrpc: closed'],
  ['Synchronize: handler error', { Synchronize: () => fail() }, `failed to synchronize plugin: ${boom}`],
  ['Synchronize: no answer in time', { Synchronize: never }, 'failed to synchronize plugin: context deadline exceeded'],
  ['Synchronize: A exits', { Synchronize: die }, 'failed to synchronize plugin: ttrpc: closed'],
] as Array<[string, Answers, string]>) {
  alike(
    `${name}: the connection ends`,
    handshakeFailed(line),
    async stage => {
      const a = await stage.dial(answers);
      await a.register('10', 'A');
      await ended(a);
      return settled(stage, 2);
    },
    name.includes('in time') ? impatient : {},
  );
}

/** Log lines come when the connection has ended already. */
async function settled(stage: RuntimeSide, count: number): Promise<string[]> {
  const lines: string[] = [];
  for (let tries = 0; tries < 100 && lines.length < count; tries++) {
    lines.push(...(await stage.log()));
    if (lines.length < count) await sleep(20);
  }
  return lines.sort();
}

alike(
  'no registration in time ends the connection',
  ['connection to plugin "-" closed', 'failed to start external plugin: plugin registration timed out'],
  async stage => {
    await ended(await stage.dial());
    return settled(stage, 2);
  },
  impatient,
);

alike(
  'a connection that ends before it registers',
  ['connection to plugin "-" closed', 'failed to start external plugin: failed to register plugin, connection closed'],
  async stage => {
    (await stage.dial()).die();
    return settled(stage, 2);
  },
);

// Upstream words it otherwise and, unlike the embedded runtime, leaves the connection open.
for (const index of ['1', 'x1', '100']) {
  alike(`the index ${index} is refused`, [true, 'failed to start external plugin: failed to register plugin', []], async stage => {
    const a = await stage.dial();
    const said = await a.register(index, 'A');
    const failed = (await settled(stage, 1)).find(line => line.startsWith('failed')) ?? '';
    return [/^2: .*invalid plugin index/.test(said), failed.split(':', 2).join(':'), a.calls];
  });
}

alike(
  'two plugins of one name and index both serve, and conflict with each other',
  'plugins "10-A" and "10-A" both tried to set env X',
  async stage => {
    await stage.plugin('10-A', { CreateContainer: sets('X') });
    await stage.plugin('10-A', { CreateContainer: sets('X') });
    return stage.create(ctr0);
  },
);

alike('plugins are asked in the order of their indices', 'A=1 B=1', async stage => {
  await stage.plugin('20-B', { CreateContainer: sets('B') });
  await stage.plugin('10-A', { CreateContainer: sets('A') });
  return stage.create(ctr0);
});

alike('synchronize updates', '77', async stage => {
  await stage.plugin('10-A', { Synchronize: () => ({ update: [limit('ctr1', 77)] }) });
  return stage.memoryLimit('ctr1');
});

alike(
  'unsolicited updates: those that fail come back, unless their failure is to be ignored',
  [['nope'], [], '5'],
  async stage => {
    const a = await stage.plugin('10-A', {});
    const failed = await a.update([limit('ctr1', 5), limit('nope', 6)]);
    return [failed, await a.update([limit('ctr1', 5)]), await stage.memoryLimit('ctr1')];
  },
  { failing: ['nope'] },
);

alike(
  'unsolicited from within CreateContainer, sent asynchronously, is carried out after the event',
  ['A=1', [], '9', ['answered', 'updated']],
  async stage => {
    const order: string[] = [];
    let failed: Promise<unknown> | undefined;
    await stage.plugin('10-A', {
      async CreateContainer(plugin) {
        failed = plugin.update([limit('ctr1', 9)]).finally(() => order.push('updated'));
        await sleep(50);
        order.push('answered');
        return sets('A')();
      },
    });
    const outcome = await stage.create(ctr0);
    return [outcome, await failed, await stage.memoryLimit('ctr1'), order];
  },
);

/**
 * As many pods as containers: with one pod beside containers of this size upstream comes to send no pod per message, and goes on until the
 * request timeout.
 */
const large: JudgedNode = {
  pods: Array.from({ length: 12 }, (_, index) => (index === 0 ? pod() : { ...pod(), id: `pod-${index}` })),
  containers: Array.from({ length: 12 }, (_, index) => ({ ...ctr1, id: `large-${index}`, annotations: { large: 'x'.repeat(500_000) } })),
};

alike(
  'state that is larger than a message comes in parts to a plugin that says so',
  [12, 12, 'A=1', true],
  async stage => {
    let [pods, containers] = [0, 0];
    let parts = 0;
    await stage.plugin('10-A', {
      CreateContainer: sets('A'),
      Synchronize(_, payload) {
        const request = codec.decode('SynchronizeRequest', payload);
        pods += request.pods.length;
        containers += request.containers.length;
        parts += 1;
        return { more: request.more };
      },
    });
    return [pods, containers, await stage.create(ctr0), parts > 1];
  },
  large,
);

alike(
  'state in parts ends the connection of a plugin that does not know of parts',
  handshakeFailed('failed to synchronize plugin: plugin does not handle split sync requests'),
  async stage => {
    const a = await stage.dial();
    await a.register('10', 'A');
    await ended(a);
    return settled(stage, 2);
  },
  large,
);

/** Where the embedded runtime is known to do otherwise, both are held to what they do. */
function differs(
  name: string,
  upstream: unknown,
  embedded: unknown,
  scene: (stage: RuntimeSide, cleanup: Cleanup) => Promise<unknown>,
): void {
  test(`differs: ${name}`, async t => {
    const cleanup = createCleanup();
    t.after(cleanup.run);
    assert.deepEqual(await scene(await sides.upstream(cleanup.add), cleanup.add), upstream, 'upstream');
    assert.deepEqual(await scene(await sides.embedded(cleanup.add), cleanup.add), embedded, 'the embedded runtime');
  });
}

differs(
  'NRI 0.8 takes any name but the empty one; the embedded runtime takes those of v0.12 only',
  'ok',
  'refused',
  async (stage, cleanup) => {
    const a = await openRawPlugin(cleanup, stage.socketPath, {});
    return (await a.register('10', 'white space')) === 'ok' ? 'ok' : 'refused';
  },
);

differs(
  'a second registration on one connection is answered, and renames the plugin at upstream alone',
  ['ok', 'plugins "20-B" and "10-C" both tried to set env X'],
  ['ok', 'plugins "20-B" and "10-A" both tried to set env X'],
  async (stage, cleanup) => {
    const answers = { Configure: () => ({ events: eventMask(['createContainer']) }), CreateContainer: sets('X') };
    const a = await openRawPlugin(cleanup, stage.socketPath, answers);
    await a.register('10', 'A');
    await stage.serving(1);
    const again = await a.register('10', 'C');
    await (await openRawPlugin(cleanup, stage.socketPath, answers)).register('20', 'B');
    await stage.serving(2);
    return [again, await stage.create(ctr0)];
  },
);

differs('a refused plugin keeps its connection at upstream', false, true, async (stage, cleanup) => {
  const a = await openRawPlugin(cleanup, stage.socketPath, {});
  await a.register('x1', 'A');
  await Promise.race([a.closed, sleep(300)]);
  return a.isClosed;
});
