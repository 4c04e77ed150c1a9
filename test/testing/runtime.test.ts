import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventMaskFull, RefusalError } from '../../src/nri/index.ts';
import { exampleContainer, examplePod, startRuntime } from '../../src/testing/index.ts';
import { dialPlugin, plugin, runtime } from './plugins.ts';

const pod = examplePod();
const container = exampleContainer(pod);
const hang = () => new Promise<undefined>(() => {});
/** Runtimes give 2 s; a test need not wait so long. */
const impatient = { requestTimeoutMs: 400 };
const life = ['createContainer', 'postCreateContainer', 'startContainer', 'postStartContainer', 'stopContainer', 'removeContainer'];

test("a pod's life brings the events in their order", async t => {
  const node = await runtime(t);
  const a = await plugin(t, node, '10-a', { events: eventMaskFull & ~(1 << 13) });
  await node.runPod(pod);
  await node.updatePod(pod, { resources: { cpu: { shares: 5 } } });
  await node.createContainer(pod, container);
  await node.startContainer(container);
  await node.updateContainer(container, { memory: { limit: 1 << 20 } });
  await node.removePod(pod);
  assert.deepEqual(a.events, [
    'runPodSandbox',
    'updatePodSandbox',
    'postUpdatePodSandbox',
    'createContainer',
    'postCreateContainer',
    'startContainer',
    'postStartContainer',
    'updateContainer',
    'postUpdateContainer',
    'stopContainer',
    'removeContainer',
    'removePodSandbox',
  ]);
  assert.deepEqual([node.pods(), node.containers()], [[], []]);
});

test('stopping a pod stops its running containers first', async t => {
  const node = await runtime(t);
  const a = await plugin(t, node, '10-a');
  await node.runPod(pod);
  await node.createContainer(pod, container);
  await node.startContainer(container);
  await node.stopPod(pod);
  assert.deepEqual(a.events.slice(-2), ['stopContainer', 'stopPodSandbox']);
  assert.equal(node.container(container).state, 'CONTAINER_STOPPED');
});

for (const nriVersion of ['0.6.1', '0.8.0', '0.10.0', '0.11.0', '0.12.0']) {
  test(`a container lives with NRI ${nriVersion}`, async t => {
    const node = await runtime(t, { nriVersion, pods: [pod] });
    const a = await plugin(t, node, '10-a');
    await node.createContainer(pod, container);
    await node.startContainer(container);
    await node.removeContainer(container);
    assert.deepEqual(a.events, life);
  });
}

test('plugins are called by index, and each sees what the earlier ones changed', async t => {
  const node = await runtime(t, { pods: [pod] });
  const set = (key: string) => ({ adjust: { env: [{ key, value: '1' }] } });
  const b = await plugin(t, node, '20-b', { event: name => (name === 'createContainer' ? set('B') : undefined) });
  await plugin(t, node, '10-a', { event: name => (name === 'createContainer' ? set('A') : undefined) });
  assert.deepEqual(
    node.plugins().map(each => each.id),
    ['10-a', '20-b'],
  );
  const created = await node.createContainer(pod, container);
  assert.equal(b.requests[0]!.request.container!.env.at(-1), 'A=1');
  assert.deepEqual(created.spec.process.env.slice(-2), ['A=1', 'B=1']);
  assert.deepEqual(created.container.env.slice(-2), ['A=1', 'B=1']);
  assert.deepEqual(created.adjust.env, [
    { key: 'A', value: '1' },
    { key: 'B', value: '1' },
  ]);
  assert.deepEqual(created.owners, { [container.id]: { Env: { A: '10-a', B: '20-b' } } });
  assert.deepEqual(b.requests[1]!.request.container!.env.slice(-2), ['A=1', 'B=1'], 'PostCreateContainer has the container as created');
});

test('every call to a plugin is recorded with its time', async t => {
  const told: string[] = [];
  const node = await runtime(t, { pods: [pod], onCall: ({ call }) => told.push(call) });
  await plugin(t, node, '10-a');
  await node.createContainer(pod, container);
  assert.deepEqual(told, ['configure', 'synchronize', 'createContainer', 'postCreateContainer']);
  assert.deepEqual(
    node.calls.map(each => each.call),
    told,
  );
  assert.ok(node.calls.every(each => each.plugin === '10-a' && each.millis > 0 && each.error === undefined));
});

test('a conflict fails the creation, and the plugins see the container stopped and removed', async t => {
  const node = await runtime(t, { pods: [pod] });
  const event = (name: string) => (name === 'createContainer' ? { adjust: { linux: { oomScoreAdj: 1 } } } : undefined);
  const a = await plugin(t, node, '10-A', { event });
  await plugin(t, node, '20-B', { event });
  await assert.rejects(node.createContainer(pod, container), {
    code: 'CONFLICT',
    message: 'plugins "20-B" and "10-A" both tried to set OomScoreAdj ',
  });
  assert.deepEqual(a.events, ['createContainer', 'stopContainer', 'removeContainer']);
  assert.deepEqual(node.containers(), []);
  assert.equal(node.plugins().length, 2);
});

test('an error answer fails the operation, keeps later plugins from the event, and costs no connection', async t => {
  const node = await runtime(t, { pods: [pod] });
  const refuse = (name: string) => {
    if (name === 'createContainer') throw new RefusalError('boom');
    return undefined;
  };
  await plugin(t, node, '10-A', { event: refuse });
  const b = await plugin(t, node, '20-B');
  await assert.rejects(node.createContainer(pod, container), { code: 'PLUGIN_ERROR', message: 'rpc error: code = Unknown desc = boom' });
  assert.ok(!b.events.includes('createContainer'));
  assert.equal(node.plugins().length, 2);
});

test('a failed RunPodSandbox is followed by StopPodSandbox and RemovePodSandbox', async t => {
  const node = await runtime(t);
  const a = await plugin(t, node, '10-a', {
    event(name) {
      if (name === 'runPodSandbox') throw new RefusalError('no');
      return undefined;
    },
  });
  await assert.rejects(node.runPod(pod), { message: 'rpc error: code = Unknown desc = no' });
  assert.deepEqual(a.events, ['runPodSandbox', 'stopPodSandbox', 'removePodSandbox']);
  assert.deepEqual(node.pods(), []);
});

test('errors of Post, Stop and Remove events are only logged', async t => {
  const lines: string[] = [];
  const node = await runtime(t, { pods: [pod], onLog: line => lines.push(line) });
  await plugin(t, node, '10-a', {
    event(name) {
      if (/^(post|stop|remove)/.test(name)) throw new RefusalError(name);
      return undefined;
    },
  });
  await node.createContainer(pod, container);
  await node.startContainer(container);
  await node.removePod(pod);
  assert.deepEqual(
    lines.filter(line => line.startsWith('NRI')).map(line => line.split(' ')[1]),
    ['postCreateContainer', 'postStartContainer', 'stopContainer', 'removeContainer', 'removePodSandbox'],
  );
});

test('a plugin that does not answer in time is disconnected, and the container is created without its changes', async t => {
  const lines: string[] = [];
  const node = await runtime(t, { ...impatient, pods: [pod], onLog: line => lines.push(line) });
  await plugin(t, node, '10-A', { event: hang });
  await plugin(t, node, '20-B', {
    event: name => (name === 'createContainer' ? { adjust: { env: [{ key: 'B', value: '1' }] } } : undefined),
  });
  const { spec } = await node.createContainer(pod, container);
  assert.equal(spec.process.env.at(-1), 'B=1');
  assert.deepEqual(
    node.plugins().map(each => each.id),
    ['20-B'],
  );
  assert.equal((await node.waitForDeparture('10-A')).served, true);
  assert.ok(lines.includes('closing plugin 10-A, failed to handle CreateContainer request: context deadline exceeded'));
});

test('a plugin that closes during a call counts as "no change"', async t => {
  const node = await runtime(t, { pods: [pod] });
  await plugin(t, node, '10-A', {
    event(_name, _request, { session }) {
      session.close();
      return undefined;
    },
  });
  const { adjust } = await node.createContainer(pod, container);
  assert.deepEqual(adjust.env, []);
  assert.equal(node.departures.at(-1)!.plugin, '10-A');
});

test('events come one at a time', async t => {
  const node = await runtime(t, { pods: [pod] });
  let running = 0;
  let most = 0;
  await plugin(t, node, '10-a', {
    async event() {
      most = Math.max(most, ++running);
      await new Promise(resolve => setImmediate(resolve));
      running--;
      return undefined;
    },
  });
  await Promise.all(['a', 'b', 'c'].map(name => node.createContainer(pod, exampleContainer(pod, { name }))));
  assert.equal(most, 1);
  assert.equal(node.containers().length, 3);
});

test('updates change other containers, unknown ones are passed over, and the own one comes last', async t => {
  const node = await runtime(t, { pods: [pod] });
  const other = exampleContainer(pod, { name: 'other' });
  const update = (containerId: string, limit: number) => ({ containerId, linux: { resources: { memory: { limit } } } });
  await plugin(t, node, '10-a', {
    event: name => (name === 'updateContainer' ? { update: [update(container.id, 7), update(other.id, 9), update('nope', 1)] } : undefined),
  });
  await node.createContainer(pod, container);
  await node.createContainer(pod, other);
  const result = await node.updateContainer(container, { cpu: { shares: 99 } });
  assert.deepEqual(
    result.update.map(each => each.containerId),
    [other.id, 'nope', container.id],
  );
  assert.equal(result.container.linux!.resources!.memory!.limit, 7);
  assert.equal(result.container.linux!.resources!.cpu!.shares, 99);
  assert.equal(node.container(other).linux!.resources!.memory!.limit, 9);
});

test('a stop event may update other containers', async t => {
  const node = await runtime(t, { pods: [pod] });
  const other = exampleContainer(pod, { name: 'other' });
  await plugin(t, node, '10-a', {
    event: name =>
      name === 'stopContainer' ? { update: [{ containerId: other.id, linux: { resources: { cpu: { shares: 7 } } } }] } : undefined,
  });
  await node.createContainer(pod, container);
  await node.createContainer(pod, other);
  const { update } = await node.stopContainer(container, 3);
  assert.equal(update.length, 1);
  assert.equal(node.container(container).exitCode, 3);
  assert.equal(node.container(other).linux!.resources!.cpu!.shares, 7);
});

test('a validator sees the pristine container, the merged adjustment, the owners and all plugins', async t => {
  const node = await runtime(t, { pods: [pod] });
  await plugin(t, node, '10-A', {
    event: name => (name === 'createContainer' ? { adjust: { env: [{ key: 'A', value: '1' }] } } : undefined),
  });
  const b = await plugin(t, node, '20-B', {
    events: eventMaskFull,
    event: name => (name === 'validateContainerAdjustment' ? { reject: true, reason: 'not allowed' } : undefined),
  });
  await assert.rejects(node.createContainer(pod, container), {
    code: 'REJECTED',
    message: 'validator "20-B" rejected container adjustment, reason: not allowed',
  });
  const request = b.requests.find(each => each.event === 'validateContainerAdjustment')!.request as unknown as Record<string, unknown>;
  assert.deepEqual((request['container'] as typeof container).env, container.env);
  assert.deepEqual((request['adjust'] as { env: unknown }).env, [{ key: 'A', value: '1' }]);
  assert.deepEqual(request['owners'], {
    owners: { [container.id]: { simple: {}, compound: { 6: { owners: { A: '10-A' } } } } },
  });
  assert.deepEqual(request['plugins'], [
    { name: 'A', index: '10' },
    { name: 'B', index: '20' },
  ]);
});

test('a validator that does not answer fails the creation and is disconnected', async t => {
  const node = await runtime(t, { ...impatient, pods: [pod] });
  await plugin(t, node, '20-B', { events: eventMaskFull, event: name => (name === 'validateContainerAdjustment' ? hang() : undefined) });
  await assert.rejects(node.createContainer(pod, container), {
    code: 'VALIDATOR_FAILED',
    message: 'validator plugin 20-B failed: context deadline exceeded',
  });
  await node.waitForDeparture('20-B');
});

test('an adjustment that no spec can have fails the creation', async t => {
  const node = await runtime(t, { pods: [pod] });
  await plugin(t, node, '10-a', {
    event: name => (name === 'createContainer' ? { adjust: { linux: { namespaces: [{ type: 'nope' }] } } } : undefined),
  });
  await assert.rejects(node.createContainer(pod, container), { code: 'ADJUSTMENT_UNUSABLE', message: 'unrecognized namespace "nope"' });
});

test('an unsolicited update is carried out, and those that fail come back', async t => {
  const node = await runtime(t, { pods: [pod], containers: [container], failUpdate: ({ linux }) => linux?.resources?.memory?.limit === 1 });
  const a = await plugin(t, node, '10-a');
  const update = (limit: number) => ({ containerId: container.id, linux: { resources: { memory: { limit } } } });
  assert.deepEqual(await a.session.updateContainers([update(5)]), []);
  assert.equal(node.container(container).linux!.resources!.memory!.limit, 5);
  const failed = await a.session.updateContainers([update(1), { ...update(1), ignoreFailure: true }]);
  assert.deepEqual(
    failed.map(each => each.containerId),
    [container.id],
  );
});

test('an unsolicited update waits until the event of another plugin is over', async t => {
  const node = await runtime(t, { pods: [pod], containers: [container] });
  const release = Promise.withResolvers<undefined>();
  const entered = Promise.withResolvers<void>();
  await plugin(t, node, '10-a', {
    event() {
      entered.resolve();
      return release.promise;
    },
  });
  const b = await plugin(t, node, '20-b');
  const creation = node.createContainer(pod, exampleContainer(pod, { name: 'other' }));
  await entered.promise;
  let done = false;
  const update = b.session.updateContainers([{ containerId: container.id, linux: { resources: { cpu: { shares: 3 } } } }]).then(() => {
    done = true;
  });
  await new Promise(resolve => setTimeout(resolve, 20));
  assert.equal(done, false);
  release.resolve(undefined);
  await Promise.all([creation, update]);
  assert.equal(node.container(container).linux!.resources!.cpu!.shares, 3);
});

test('an operation is kept back while a plugin synchronises', async t => {
  const node = await runtime(t, { pods: [pod] });
  const release = Promise.withResolvers<undefined>();
  const entered = Promise.withResolvers<void>();
  const a = await dialPlugin(t, node.socketPath, '10-a', {
    synchronize() {
      entered.resolve();
      return release.promise;
    },
  });
  await entered.promise;
  const creation = node.createContainer(pod, container);
  release.resolve(undefined);
  await creation;
  assert.deepEqual(a.events.slice(0, 1), ['createContainer'], 'the plugin was in service before the operation began');
});

test('stop ends the connections and removes the socket', async t => {
  const node = await runtime(t);
  const a = await plugin(t, node, '10-a');
  await node.stop();
  await a.session.closed;
  assert.equal(existsSync(node.socketPath), false);
});

test('a crash cuts the connections and leaves a socket that nobody listens on, until the runtime starts again', async t => {
  const node = await runtime(t);
  const a = await plugin(t, node, '10-a');
  await node.crash();
  await a.session.closed;
  const code = await new Promise(resolve => connect(node.socketPath).once('error', (error: NodeJS.ErrnoException) => resolve(error.code)));
  assert.equal(code, 'ECONNREFUSED');
  const again = await startRuntime({ socketPath: node.socketPath });
  t.after(() => again.stop());
  await plugin(t, again, '10-a');
});

test('waiting for a plugin that does not come tells what happened instead', async t => {
  const node = await runtime(t);
  (await plugin(t, node, '10-a')).session.close();
  await node.waitForDeparture('a');
  await assert.rejects(
    node.waitForPlugin('10-a', 10),
    /plugin 10-a did not come into service; 10-a ended: the plugin closed the connection/,
  );
});

test('operations on what is not there say so', async t => {
  const node = await runtime(t);
  await assert.rejects(node.createContainer(pod, container), { code: 'INVALID_STATE' });
  await node.runPod(pod);
  await assert.rejects(node.runPod(pod), { code: 'INVALID_STATE' });
  await node.createContainer(pod, container);
  await assert.rejects(node.createContainer(pod, container), { code: 'INVALID_STATE' });
  await node.startContainer(container);
  await assert.rejects(node.startContainer(container), { code: 'INVALID_STATE' });
  await assert.rejects(node.startContainer('nope'), { code: 'INVALID_STATE', message: 'no container "nope": create it first' });
});

test('any event can be sent as it is', async t => {
  const node = await runtime(t);
  const a = await plugin(t, node, '10-a');
  await node.sendEvent('removePodSandbox', { pod: { ...examplePod(), id: 'late', name: '' } });
  assert.equal(a.requests[0]!.request.pod!.id, 'late');
});
