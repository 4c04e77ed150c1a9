/**
 * The wire: what upstream's plugin and upstream's runtime side say to each other is recorded between them. Both our ends get their parts of it
 * again, in whatever pieces, and must read what Go read and write what Go wrote, byte by byte.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { eventOfMethod, eventOfStateChange } from '../../src/nri/events.ts';
import {
  type Container,
  createCodec,
  type EventName,
  type EventRequest,
  type EventResponse,
  type MessageName,
  type Messages,
  openPluginSession,
  openRuntimeSession,
  RefusalError,
} from '../../src/nri/index.ts';
import { createCleanup, temporaryFolder } from './support/cleanup.ts';
import { type Judge, type ProtoJson, startJudge } from './support/judge.ts';
import { prepareJudge } from './support/judge-program.ts';
import { containerWith, pod, richContainer } from './support/node.ts';
import { protojsonOf } from './support/protojson.ts';
import {
  byteByByte,
  type Cut,
  messagesOf,
  type Recording,
  randomly,
  recordingProxy,
  replayStream,
  typeOf,
  type WireMessage,
  whole,
} from './support/recording.ts';
import { within } from './support/within.ts';

/** What the Go plugin read and wrote, as it printed it. */
type Printed = { method: string; request: ProtoJson; response?: ProtoJson; error?: string };

const codec = createCodec();
const cleanup = createCleanup();
let judge: Judge;
let recording: Recording;
let toPlugin: WireMessage[];
let toRuntime: WireMessage[];
let printed: Printed[];

const int64Max = '9223372036854775807';
const uint64Max = '18446744073709551615';

/** One of nearly everything, with the bounds of numbers, empty and absent values, and characters of several bytes. */
const adjust = {
  annotations: { first: 'ä', second: '', '-gone': '', '10': 'ten', '2': 'two', ['__proto__']: 'own' },
  mounts: [{ destination: '/m', type: 'bind', source: '/s', options: ['rbind', ''] }, { destination: '-/gone' }],
  env: [{ key: 'E', value: '✓=1' }, { key: 'EMPTY' }, { key: '-GONE' }],
  hooks: { prestart: [{ path: '/h', args: ['h', ''], env: ['A=b'], timeout: { value: '5' } }], poststop: [{ path: '/p' }] },
  rlimits: [{ type: 'RLIMIT_NOFILE', hard: uint64Max, soft: '1' }],
  CDIDevices: [{ name: 'vendor.com/class=one' }],
  linux: {
    devices: [{ path: '/dev/x', type: 'c', major: '-1', minor: int64Max, fileMode: { value: 438 }, uid: {}, gid: { value: 4294967295 } }],
    resources: {
      memory: {
        limit: { value: `-${int64Max}` },
        swap: {},
        swappiness: { value: uint64Max },
        disableOomKiller: {},
        useHierarchy: { value: true },
      },
      cpu: { shares: { value: uint64Max }, quota: { value: '-1' }, period: {}, cpus: '0-3', mems: '0' },
      hugepageLimits: [{ pageSize: '2MB', limit: uint64Max }, { pageSize: '1GB' }],
      unified: { 'memory.high': 'max', 'memory.low': '' },
      blockioClass: {},
      rdtClass: { value: 'gold' },
      pids: { limit: int64Max },
    },
    cgroupsPath: '/some/where',
    oomScoreAdj: { value: '-1000' },
  },
};

const update = (containerId: string) => ({
  containerId,
  linux: { resources: { memory: { limit: { value: '4611686018427387904' } }, cpu: { cpus: '1' } } },
  ignoreFailure: true,
});

const answers = {
  Synchronize: [{ update: [update('one'), update('two')] }],
  CreateContainer: [
    { adjust, update: [update('other')] },
    { error: 'boom' },
    { adjust: { env: Array.from({ length: 4000 }, (_, at) => ({ key: `K${at}`, value: 'v'.repeat(30) })) } },
  ],
  UpdateContainer: [{ update: [update('own'), update('other')] }],
  StopContainer: [{ update: [update('other')] }],
};

before(async () => {
  const program = await prepareJudge();
  const large = of08(
    containerWith({
      annotations: { large: 'é'.repeat(40_000) },
      args: Array.from({ length: 2000 }, (_, at) => `argument ${at}`),
    }),
  );
  judge = await startJudge(cleanup.add, program, {
    pods: [pod(), pod({ id: 'second' })],
    containers: [of08(richContainer()), large, of08(containerWith())],
  });
  const proxy = await recordingProxy(cleanup.add, judge.socketPath);
  const file = join(temporaryFolder(cleanup.add), 'answers.json');
  writeFileSync(file, JSON.stringify(answers));
  const plugin = spawn(program.path, ['plugin', proxy.socketPath, '10', 'recorded', file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(plugin, 'exit');
  cleanup.add(() => void plugin.kill('SIGKILL'));
  printed = [];
  const lines = createInterface({ input: plugin.stdout }).on('line', line => printed.push(JSON.parse(line)));
  await judge.plugins(1);

  const own = of08(richContainer());
  const requests = { pod: pod(), container: own };
  assert.equal((await judge.call('stateChange', { event: 'RUN_POD_SANDBOX', pod: pod() })).error, undefined);
  assert.equal((await judge.call('createContainer', requests)).error, undefined);
  assert.equal(
    (await judge.call('createContainer', { pod: pod(), container: of08(containerWith()) })).error,
    'rpc error: code = Unknown desc = boom',
  );
  assert.equal((await judge.call('createContainer', { pod: pod(), container: large })).error, undefined);
  assert.equal((await judge.call('createContainer', { pod: pod(), container: of08(containerWith()) })).error, undefined);
  for (const event of ['POST_CREATE_CONTAINER', 'START_CONTAINER']) await judge.call('stateChange', { event, ...requests });
  const linuxResources = { memory: { limit: -(2n ** 63n) }, cpu: { shares: 2n ** 64n - 1n }, unified: { a: '1', b: '2' } };
  assert.equal((await judge.call('updateContainer', { ...requests, linuxResources })).error, undefined);
  assert.equal((await judge.call('stopContainer', requests)).error, undefined);
  for (const event of ['REMOVE_CONTAINER', 'REMOVE_POD_SANDBOX']) await judge.call('stateChange', { event, ...requests });
  plugin.stdin.end(`${JSON.stringify({ update: [update('one'), { containerId: 'empty' }] })}\n`);
  await within(20_000, "the Go plugin's end", Promise.all([exited, once(lines, 'close')]));

  recording = proxy.recorded();
  const asked = [...messagesOf(recording.toPlugin), ...messagesOf(recording.toRuntime)];
  toPlugin = messagesOf(recording.toPlugin, asked);
  toRuntime = messagesOf(recording.toRuntime, asked);
});
after(cleanup.run);

/** Without what NRI 0.8 does not know: Go passes it on unread. */
function of08({ user: _, image: __, linux, ...container }: Container): Container {
  const { seccompProfile: ___, ...known } = linux!;
  return { ...container, linux: known };
}

const decoded = <Name extends MessageName>(name: Name, { payload }: WireMessage): Messages[Name] => codec.decode(name, payload);

/** The responses that belong to requests, by connection and stream. */
const responseTo = (request: WireMessage, among: readonly WireMessage[]) =>
  among.find(each => each.type === 'response' && each.connId === request.connId && each.streamId === request.streamId)!;

test('every message of both directions is read as Go printed it', async () => {
  assert.ok(toPlugin.length >= 14 && toRuntime.length >= 14, `${toPlugin.length} and ${toRuntime.length} messages`);
  for (const message of [...toPlugin, ...toRuntime]) {
    if (message.error !== undefined) continue;
    const name = typeOf(message);
    assert.deepEqual(protojsonOf(name, decoded(name, message)), await judge.printBytes(name, message.payload), name);
  }
  const asked = toPlugin.filter(each => each.type === 'request');
  assert.deepEqual(
    asked.map(each => [each.method, protojsonOf(typeOf(each), decoded(typeOf(each), each))]),
    printed.filter(({ method }) => method !== 'UpdateContainers').map(({ method, request }) => [method, request]),
  );
});

test('every message is written as Go wrote it, byte by byte', async () => {
  let byteEqual = 0;
  for (const message of [...toPlugin, ...toRuntime]) {
    if (message.error !== undefined) continue;
    const name = typeOf(message);
    const bytes = codec.encode(name, decoded(name, message));
    if (keepsOrder(message)) {
      byteEqual += 1;
      assert.deepEqual(Buffer.from(bytes), Buffer.from(message.payload), `${name} of ${message.payload.length} bytes`);
    } else {
      assert.equal(bytes.length, message.payload.length);
      assert.deepEqual(await judge.printBytes(name, bytes), await judge.printBytes(name, message.payload), name);
    }
  }
  assert.ok(byteEqual > 20, `${byteEqual} messages`);
});

/** JavaScript puts keys that are numbers first, where Go writes a map in any order. */
function keepsOrder(message: WireMessage): boolean {
  return !JSON.stringify(protojsonOf(typeOf(message), decoded(typeOf(message), message))).includes('"10":');
}

const cuts: Array<[string, Cut]> = [
  ['whole', whole],
  ['one byte at a time', byteByByte],
  ...[1, 2, 3, 4, 5].map((seed): [string, Cut] => [`in random pieces, seed ${seed}`, randomly(seed)]),
];

for (const [how, cut] of cuts) {
  test(`the runtime's bytes, ${how}: our plugin session reads every request and writes the Go plugin's replies`, async t => {
    const replay = replayStream();
    const requests: unknown[] = [];
    const asked = toPlugin.filter(each => each.type === 'request');
    let at = 2;

    function reply(method: string): WireMessage {
      const request = asked[at++]!;
      assert.equal(request.method, method);
      return responseTo(request, toRuntime);
    }

    const session = openPluginSession({
      stream: replay.stream,
      name: 'recorded',
      index: '10',
      codec,
      onError: error => requests.push(error),
      handlers: {
        configure(request) {
          requests.push(request);
          return decoded('ConfigureResponse', responseTo(asked[0]!, toRuntime));
        },
        synchronize(request) {
          requests.push(request);
          return decoded('SynchronizeResponse', responseTo(asked[1]!, toRuntime));
        },
        event(event, request) {
          requests.push([event, request]);
          const isState = eventOfMethod(asked[at]!.method) === undefined;
          const answer = reply(isState ? 'StateChange' : `${event[0]!.toUpperCase()}${event.slice(1)}`);
          if (answer.error !== undefined) throw new RefusalError(answer.error);
          return isState ? undefined : (decoded(typeOf(answer), answer) as EventResponse);
        },
      },
    });
    t.after(() => session.close());

    const last = toPlugin.at(-1)!;
    assert.equal(`${last.method} ${last.type}`, 'UpdateContainers response');
    const before = toPlugin.at(-2)!.end;
    await replay.feed(recording.toPlugin.subarray(0, before), cut);
    await until(
      () => requests.length === asked.length,
      () => `${requests.length} of ${asked.length} requests`,
    );
    const asks = toRuntime.find(each => each.method === 'UpdateContainers')!;
    const updating = session.updateContainers(decoded('UpdateContainersRequest', asks).update!);
    await until(
      () => messagesOf(replay.written()).length === toRuntime.length,
      () => `${messagesOf(replay.written()).length} of ${toRuntime.length} replies`,
    );
    await replay.feed(recording.toPlugin.subarray(before), cut);
    assert.deepEqual(await updating, decoded('UpdateContainersResponse', last).failed);

    assert.deepEqual(requests, asked.map(requestOf));
    assert.deepEqual(comparable(messagesOf(replay.written(), toPlugin)), comparable(toRuntime));
  });

  test(`the plugin's bytes, ${how}: our runtime session reads every reply and writes the Go runtime's requests`, async t => {
    const replay = replayStream();
    const updates: unknown[] = [];
    const session = openRuntimeSession({
      stream: replay.stream,
      codec,
      delivery: 'state-change',
      requestTimeoutMs: 20_000,
      onUpdateContainers(update) {
        updates.push(...update);
        return [];
      },
    });
    t.after(() => session.close());
    let fed = 0;
    const feedTo = async (message: WireMessage) => {
      if (message.end <= fed) return;
      const from = fed;
      fed = message.end;
      await replay.feed(recording.toRuntime.subarray(from, message.end), cut);
    };

    await feedTo(toRuntime[0]!);
    assert.deepEqual(await session.registered, decoded('RegisterPluginRequest', toRuntime[0]!));
    for (const request of toPlugin.filter(each => each.type === 'request')) {
      const expected = responseTo(request, toRuntime);
      const answer = ask(request).then(
        reply => ({ reply }),
        (error: Error) => ({ error: error.message }),
      );
      await feedTo(expected);
      if (expected.error !== undefined) assert.deepEqual(await answer, { error: expected.error });
      else assert.deepEqual(await answer, { reply: replyOf(expected) }, request.method);
    }
    const asks = toRuntime.find(each => each.method === 'UpdateContainers')!;
    await feedTo(asks);
    await until(
      () => messagesOf(replay.written()).length === toPlugin.length,
      () => `${messagesOf(replay.written()).length} of ${toPlugin.length} messages`,
    );
    assert.deepEqual(updates, decoded('UpdateContainersRequest', asks).update);
    assert.deepEqual(comparable(messagesOf(replay.written(), toRuntime)), comparable(toPlugin));

    async function ask(request: WireMessage): Promise<unknown> {
      if (request.method === 'Configure') {
        await session.configure(decoded('ConfigureRequest', request));
        return session.events;
      }
      if (request.method === 'Synchronize') {
        const { pods, containers } = decoded('SynchronizeRequest', request);
        return session.synchronize(pods, containers);
      }
      const [event, given] = requestOf(request) as [EventName, EventRequest];
      return session.send(event, given);
    }
  });
}

/** As our session gives a request to its handlers. */
function requestOf(message: WireMessage): unknown {
  if (message.method === 'Configure') return decoded('ConfigureRequest', message);
  if (message.method === 'Synchronize') {
    const { pods, containers } = decoded('SynchronizeRequest', message);
    return { pods, containers };
  }
  if (message.method !== 'StateChange') return [eventOfMethod(message.method), decoded(typeOf(message), message)];
  const { event, ...request } = decoded('StateChangeEvent', message);
  return [eventOfStateChange(event), request];
}

function replyOf(message: WireMessage): unknown {
  if (message.method === 'Configure') return decoded('ConfigureResponse', message).events;
  if (message.method === 'Synchronize') return decoded('SynchronizeResponse', message).update;
  return decoded(typeOf(message), message);
}

/** Replies byte by byte; requests without the caller's own patience and metadata. In the order of connections and streams. */
function comparable(messages: readonly WireMessage[]): Array<{ connId: number; streamId: number }> {
  return messages
    .map(message => {
      const { connId, streamId, type, method, bytes, payload, error } = message;
      if (type === 'request') return { connId, streamId, type, method, payload: Buffer.from(payload).toString('base64') };
      if (error !== undefined || keepsOrder(message)) return { connId, streamId, type, bytes: Buffer.from(bytes).toString('base64') };
      return { connId, streamId, type, length: bytes.length, json: protojsonOf(typeOf(message), decoded(typeOf(message), message)) };
    })
    .sort((one, other) => one.connId - other.connId || one.streamId - other.streamId);
}

async function until(condition: () => boolean, describe: () => string): Promise<void> {
  for (const end = performance.now() + 20_000; !condition(); ) {
    if (performance.now() > end) throw new Error(`after 20 s: ${describe()}`);
    await new Promise(resolve => setTimeout(resolve, 2));
  }
}
