import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import type { ConfigureRequest } from '../../src/nri/index.ts';
import { createMux, pluginConnId, runtimeConnId } from '../../src/nri/mux.ts';
import { exampleContainer, examplePod } from '../../src/testing/index.ts';
import { createClient, serve } from '../../src/ttrpc/index.ts';
import { codec, dial, dialPlugin, plugin, runtime, temporaryDirectory } from './plugins.ts';

const pod = examplePod();

/** Writes each message in one frame of connection 2, however long it is. */
function inOneFrame(stream: Duplex): Duplex {
  return new Duplex({
    read() {},
    write(message: Buffer, _encoding, done) {
      const header = Buffer.alloc(8);
      header.writeUInt32BE(runtimeConnId, 0);
      header.writeUInt32BE(message.length, 4);
      stream.write(Buffer.concat([header, message]), done);
    },
  });
}

test('a plugin gets the state: all pods, and the containers that have not ended', async t => {
  const running = exampleContainer(pod, { name: 'running', state: 'CONTAINER_RUNNING' });
  const ended = exampleContainer(pod, { name: 'ended', state: 'CONTAINER_STOPPED' });
  const node = await runtime(t, { pods: [pod], containers: [running, ended] });
  const { synchronized } = await plugin(t, node, '10-a');
  assert.deepEqual(
    synchronized!.pods.map(each => each.id),
    [pod.id],
  );
  assert.deepEqual(
    synchronized!.containers.map(each => each.id),
    [running.id],
  );
});

test('updates in answer to Synchronize are applied', async t => {
  const container = exampleContainer(pod, { state: 'CONTAINER_RUNNING' });
  const node = await runtime(t, { pods: [pod], containers: [container] });
  await plugin(t, node, '10-a', {
    synchronize: () => ({ update: [{ containerId: container.id, linux: { resources: { cpu: { shares: 4 } } } }] }),
  });
  assert.equal(node.container(container).linux!.resources!.cpu!.shares, 4);
});

test('state that does not fit in one message comes in chunks, before NRI 0.7 not at all', async t => {
  const containers = Array.from({ length: 40 }, (_, at) => exampleContainer(pod, { name: `c${at}`, state: 'CONTAINER_RUNNING' }));
  const pods = Array.from({ length: 10 }, (_, at) => examplePod({ name: `p${at}` }));
  const node = await runtime(t, { pods, containers, synchronizeBytesMax: 40_000 });
  const { synchronized } = await plugin(t, node, '10-a');
  assert.deepEqual([synchronized!.pods.length, synchronized!.containers.length], [10, 40]);

  const large = { 'large.example/value': 'x'.repeat(5 << 20) };
  const old = await runtime(t, { nriVersion: '0.6.1', pods: [examplePod({ annotations: large })] });
  await dialPlugin(t, old.socketPath, '10-a');
  assert.match((await old.waitForDeparture()).reason, /^failed to synchronize plugin: rpc error: code = ResourceExhausted/);
});

test('what a runtime tells in Configure depends on its NRI version', async t => {
  const told = async (nriVersion: string) => {
    let request: ConfigureRequest | undefined;
    const node = await runtime(t, { nriVersion, requestTimeoutMs: 1500 });
    await plugin(t, node, '10-a', {
      configure(given) {
        request = given;
        return { events: 0x7ff };
      },
    });
    return request!;
  };
  assert.deepEqual(await told('0.6.1'), {
    config: '',
    runtimeName: 'containerd',
    runtimeVersion: 'v1.7.24',
    registrationTimeout: 0,
    requestTimeout: 0,
    nriVersion: '',
  });
  assert.deepEqual(await told('0.12.0'), {
    config: '',
    runtimeName: 'containerd',
    runtimeVersion: 'v2.3.0',
    registrationTimeout: 5000,
    requestTimeout: 1500,
    nriVersion: 'v0.12.0',
  });
});

test('a plugin that does not register in time is dropped', async t => {
  const node = await runtime(t, { registrationTimeoutMs: 30 });
  const stream = await dial(t, node.socketPath);
  const { served, reason } = await node.waitForDeparture();
  assert.deepEqual({ served, reason }, { served: false, reason: 'failed to start external plugin: plugin registration timed out' });
  await new Promise(resolve => stream.once('close', resolve).resume());
});

test('plugins are taken in one at a time: one that is slow to register keeps the next waiting', async t => {
  const node = await runtime(t, { registrationTimeoutMs: 400 });
  await dial(t, node.socketPath);
  await plugin(t, node, '20-b');
  assert.equal(node.departures[0]!.reason, 'failed to start external plugin: plugin registration timed out');
});

test('a name or an index that NRI does not allow is refused', async t => {
  const node = await runtime(t);
  const bad = await dialPlugin(t, node.socketPath, '10-white space');
  assert.match((await bad.session.closed).message, /invalid plugin name/);
  assert.match(
    (await node.waitForDeparture()).reason,
    /^failed to start external plugin: failed to register plugin: .*invalid plugin name/,
  );
  await dialPlugin(t, node.socketPath, 'x1-a');
  await node.waitFor(() => /invalid plugin index/.test(node.departures.at(-1)!.reason));
});

test('a subscription that the runtime does not know costs the connection', async t => {
  const node = await runtime(t, { nriVersion: '0.8.0' });
  const mux = createMux(await dial(t, node.socketPath));
  serve(mux.open(pluginConnId), () => codec.encode('ConfigureResponse', { events: 0x3fff }));
  const client = createClient(mux.open(runtimeConnId));
  const payload = codec.encode('RegisterPluginRequest', { pluginName: 'a', pluginIdx: '10' });
  await client.call({ service: 'nri.pkg.api.v1alpha1.Runtime', method: 'RegisterPlugin', payload });
  const { plugin: id, reason } = await node.waitForDeparture();
  assert.equal(id, '10-a');
  assert.match(reason, /invalid plugin events: 0x3800/);
});

test('a frame that a Go runtime dies of ends the connection, unless the runtime is not strict', async t => {
  const registration = async (strict: boolean) => {
    const node = await runtime(t, { strict, requestTimeoutMs: 50 });
    const stream = await dial(t, node.socketPath);
    const payload = codec.encode('RegisterPluginRequest', { pluginName: 'a'.repeat(5000), pluginIdx: '10' });
    const client = createClient(inOneFrame(stream));
    void client.call({ service: 'nri.pkg.api.v1alpha1.Runtime', method: 'RegisterPlugin', payload }).catch(() => {});
    return node;
  };
  assert.match((await (await registration(true)).waitForDeparture()).reason, /cannot allocate memory/);
  assert.match((await (await registration(false)).waitForDeparture()).reason, /failed to configure plugin/);
});

test('stopping while a plugin registers ends its connection', async t => {
  const node = await runtime(t);
  const stream = await dial(t, node.socketPath);
  const ended = new Promise(resolve => stream.once('close', resolve).resume());
  await node.stop();
  await ended;
  assert.deepEqual(node.plugins(), []);
});

test('a plugin that does not answer Configure in time is dropped', async t => {
  const node = await runtime(t, { requestTimeoutMs: 300 });
  await dialPlugin(t, node.socketPath, '10-a', { configure: () => new Promise(() => {}) });
  assert.equal(
    (await node.waitForDeparture('10-a')).reason,
    'failed to start external plugin: failed to configure plugin: context deadline exceeded',
  );
});

test('a plugin that does not answer Synchronize in time is dropped', async t => {
  const node = await runtime(t, { requestTimeoutMs: 300 });
  await dialPlugin(t, node.socketPath, '10-a', { synchronize: () => new Promise(() => {}) });
  const { served, reason } = await node.waitForDeparture('10-a');
  assert.deepEqual({ served, reason }, { served: false, reason: 'failed to synchronize plugin: context deadline exceeded' });
});

/** A program that is an NRI plugin; what it saw stands in `seen`, once it is configured. */
function pluginProgram(
  t: TestContext,
  file: string,
): { path: string; seen(): { pid: number; env: Record<string, string>; config: string; calls: string[] } } {
  const directory = temporaryDirectory(t);
  const path = join(directory, file);
  const seen = join(directory, 'seen.json');
  const source = (module: string) => JSON.stringify(join(import.meta.dirname, '../../src/nri', module));
  writeFileSync(
    path,
    `#!${process.execPath}
import { writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
const { createCodec, openPluginSession } = await import(${source('index.ts')});
let config;
const calls = [];
const note = call => {
  calls.push(call);
  writeFileSync(${JSON.stringify(seen)}, JSON.stringify({ pid: process.pid, env: process.env, config, calls }));
};
openPluginSession({
  stream: new Socket({ fd: 3 }),
  name: 'ignored',
  index: '99',
  codec: createCodec(),
  handlers: {
    configure(request) { config = request.config; note('configure'); return { events: 8 }; },
    synchronize() { note('synchronize'); },
    event(name) { note(name); return { adjust: { env: [{ key: 'LAUNCHED', value: '1' }] } }; },
  },
});
`,
  );
  chmodSync(path, 0o755);
  return { path, seen: () => JSON.parse(readFileSync(seen, 'utf8')) };
}

test('a launched plugin has a socket as descriptor 3, three variables, and the name of its file', async t => {
  const { path, seen } = pluginProgram(t, '05-launched');
  const node = await runtime(t, { pods: [pod] });
  const info = await node.launchPlugin(path, 'its: configuration');
  assert.deepEqual(info, { name: 'launched', index: '05', id: '05-launched', events: 8, launched: true });
  const { env, config, calls } = seen();
  delete env['NODE_V8_COVERAGE'];
  assert.deepEqual(env, { NRI_PLUGIN_NAME: 'launched', NRI_PLUGIN_IDX: '05', NRI_PLUGIN_SOCKET: '3' });
  assert.equal(config, 'its: configuration');
  assert.deepEqual(calls, ['configure', 'synchronize']);
  const { spec } = await node.createContainer(pod, exampleContainer(pod));
  assert.equal(spec.process.env.at(-1), 'LAUNCHED=1');
});

test('before NRI 0.7 a launched plugin is not synchronised', async t => {
  const { path, seen } = pluginProgram(t, '05-launched');
  const node = await runtime(t, { nriVersion: '0.6.1', pods: [pod] });
  await node.launchPlugin(path);
  await node.createContainer(pod, exampleContainer(pod));
  assert.deepEqual(seen().calls, ['configure', 'createContainer']);
});

test('stopping the runtime kills what it launched', async t => {
  const node = await runtime(t);
  const { path, seen } = pluginProgram(t, '05-launched');
  await node.launchPlugin(path);
  await node.stop();
  assert.throws(() => process.kill(seen().pid, 0), { code: 'ESRCH' });
});

test('a program whose name is no plugin name, or that does not start, is not launched', async t => {
  const node = await runtime(t);
  await assert.rejects(node.launchPlugin('/x/plugin'), { message: 'invalid plugin name "plugin", idx-pluginname expected' });
  await assert.rejects(node.launchPlugin('/x/ab-plugin'), { message: 'invalid plugin index "ab" (not [0-9][0-9])' });
  await assert.rejects(node.launchPlugin('/nonexistent/10-plugin'), /^Error: failed to launch plugin "10-plugin": /);
});

test('a launched program that exits without registering is reported', async t => {
  const path = join(temporaryDirectory(t), '10-false');
  writeFileSync(path, '#!/bin/false\n');
  chmodSync(path, 0o755);
  const node = await runtime(t);
  await assert.rejects(node.launchPlugin(path), {
    message: 'failed to start pre-installed NRI plugin: failed to register plugin, connection closed',
  });
});
