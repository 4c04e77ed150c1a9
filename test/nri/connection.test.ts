import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import {
  type ConnectionOptions,
  type ConnectionState,
  connectPlugin,
  createBackoff,
  createCodec,
  openRuntimeSession,
  type StateDetail,
} from '../../src/nri/index.ts';
import { bringUp, listen } from './runtime.ts';

const codec = createCodec();

function socketPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'nri-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'nri.sock');
}

function start(t: TestContext, path: string, options: Partial<ConnectionOptions> = {}) {
  const history: ConnectionState[] = [];
  const details: StateDetail[] = [];
  let watch = () => {};
  const connection = connectPlugin({
    endpoint: { path },
    name: 'demo',
    index: '10',
    codec,
    handlers: { configure: () => ({ events: 8 }), synchronize: () => undefined, event: () => ({ adjust: { args: ['sh'] } }) },
    dialBackoff: createBackoff(1, 2),
    sessionBackoff: createBackoff(1, 2),
    onState(state, detail) {
      history.push(state);
      details.push(detail);
      watch();
    },
    ...options,
  });
  t.after(() => connection.close());
  return {
    connection,
    history,
    details,
    /** Waits until the state was entered once more; what came before is forgotten. */
    async until(state: ConnectionState): Promise<StateDetail> {
      while (!history.includes(state)) {
        const changed = Promise.withResolvers<void>();
        watch = changed.resolve;
        await changed.promise;
      }
      const at = history.indexOf(state);
      history.splice(0, at + 1);
      return details.splice(0, at + 1).at(-1)!;
    },
  };
}

test('a plugin comes up state by state', async t => {
  const path = socketPath(t);
  const runtime = await listen(path);
  t.after(runtime.stop);
  const { history, until, connection } = start(t, path);
  const session = await bringUp(await runtime.next());
  assert.deepEqual((await session.send('createContainer', {})).adjust!.args, ['sh']);
  assert.equal(connection.state, 'serving');
  assert.deepEqual(history, ['connecting', 'registering', 'synchronising', 'serving']);
  await until('serving');
  await connection.close();
  assert.equal((await session.closed).code, 'NRI_CLOSED');
  assert.deepEqual(history, ['closed']);
});

test('a plugin waits for its runtime, and says what is missing', async t => {
  const path = socketPath(t);
  const { until } = start(t, path);
  const { reason, retryInMs } = await until('backing-off');
  assert.equal(reason!.code, 'NRI_SOCKET_MISSING');
  assert.ok(retryInMs! > 0 && retryInMs! <= 1);
  const runtime = await listen(path);
  t.after(runtime.stop);
  await bringUp(await runtime.next());
  await until('serving');
});

test('a plugin comes back to a runtime that has started again', async t => {
  const path = socketPath(t);
  const first = await listen(path);
  const { until } = start(t, path);
  const session = await bringUp(await first.next());
  await until('serving');
  await first.stop();
  session.close();
  assert.equal((await until('backing-off')).reason!.code, 'NRI_CLOSED');
  const second = await listen(path);
  t.after(second.stop);
  await bringUp(await second.next());
  await until('serving');
});

test('a plugin whose registration is refused tries again', async t => {
  const path = socketPath(t);
  const runtime = await listen(path);
  t.after(runtime.stop);
  const { until } = start(t, path, { index: 'x' });
  for (let attempt = 0; attempt < 2; attempt++) assert.equal((await until('backing-off')).reason!.code, 'NRI_REGISTRATION_REFUSED');
});

test('sessions that fail are tried ever more rarely, until one was good', async t => {
  const path = socketPath(t);
  const runtime = await listen(path);
  t.after(runtime.stop);
  const waits: string[] = [];
  const sessionBackoff = {
    next: () => {
      waits.push('next');
      return 1;
    },
    reset: () => {
      waits.push('reset');
    },
  };
  const { until } = start(t, path, { sessionBackoff, goodAfterMs: 0 });
  (await runtime.next()).close();
  await until('backing-off');
  const good = await bringUp(await runtime.next());
  await until('serving');
  good.close();
  await until('backing-off');
  assert.deepEqual(waits, ['next', 'reset', 'next']);
});

test('close ends the wait for a runtime', async t => {
  const path = socketPath(t);
  const { until, connection } = start(t, path, { dialBackoff: createBackoff(3_600_000, 3_600_000) });
  await until('backing-off');
  await connection.close();
  assert.equal(connection.state, 'closed');
  assert.equal((await connection.closed).code, 'NRI_CLOSED');
});

test('a plugin that is closed at once never connects', async t => {
  const path = socketPath(t);
  const { connection } = start(t, path);
  await connection.close();
  assert.equal(connection.state, 'closed');
});

test('updates are refused unless the connection serves', async t => {
  const path = socketPath(t);
  const { connection } = start(t, path);
  await assert.rejects(connection.updateContainers([]), { code: 'NRI_NOT_SERVING' });
  const runtime = await listen(path);
  t.after(runtime.stop);
  await bringUp(await runtime.next());
  assert.deepEqual(await connection.updateContainers([{ containerId: 'c' }]), []);
});

test('a fault of onState does not end the connection', async t => {
  const path = socketPath(t);
  const runtime = await listen(path);
  t.after(runtime.stop);
  start(t, path, {
    onState() {
      throw new Error('fault');
    },
  });
  await bringUp(await runtime.next());
});

test('a launched plugin serves on its descriptor and ends with it', async t => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'launched-plugin.fixture.ts')], {
    env: { NRI_PLUGIN_NAME: 'demo', NRI_PLUGIN_IDX: '10', NRI_PLUGIN_SOCKET: '3' },
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const session = openRuntimeSession({ stream: child.stdio[3] as Duplex, codec });
  await session.registered;
  await bringUp(session);
  assert.deepEqual((await session.send('createContainer', {})).adjust!.args, ['demo', '10']);
  const output = text(child.stdout!);
  session.close();
  assert.equal(await output, 'NRI_CLOSED');
});

test('a runtime session ends when no plugin registers', async t => {
  const path = socketPath(t);
  const runtime = await listen(path);
  t.after(runtime.stop);
  const stream = connect(path);
  t.after(() => stream.destroy());
  const silent = openRuntimeSession({ stream, codec, registrationTimeoutMs: 5 });
  await assert.rejects(silent.registered, { code: 'NRI_REGISTRATION_TIMEOUT' });
});
