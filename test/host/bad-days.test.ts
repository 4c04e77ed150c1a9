/** A runtime's bad days, seen from the whole plugin: it is back each time, with the right things known. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createBackoff, type StateDetail } from '../../src/nri/index.ts';
import { createMux } from '../../src/nri/mux.ts';
import { exampleContainer, examplePod, realisticContainer, realisticPod, startRuntime } from '../../src/testing/index.ts';
import { serve } from '../../src/ttrpc/index.ts';
import { eventually } from '../support/eventually.ts';
import { folder } from '../support/folder.ts';
import { pluginBench, startPlugin } from '../support/plugin.ts';

/** Tries again at once: these tests are about coming back, not about when. */
const atOnce = () => ({ dialBackoff: createBackoff(1, 5), sessionBackoff: createBackoff(1, 5) });
const creating = (body: string) => `export default { createContainer({ pod, container }, nri) { ${body} } };`;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function occupied(): Promise<{ heap: number; descriptors: number }> {
  for (let round = 0; round < 3; round++) {
    await new Promise(setImmediate);
    collectGarbage();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed + arrayBuffers, descriptors: readdirSync('/proc/self/fd').length };
}

test('a runtime that is killed 100 times, in the middle of an event each time: back each time, no event handled twice, nothing piles up', async t => {
  const plugin = await startPlugin(
    t,
    { '10-a.js': creating('return { adjust: { env: { SEEN: container.name } } };') },
    undefined,
    atOnce(),
  );
  const { socketPath, reports, log, states, host } = plugin;
  const handled = new Map<string, number>();
  let before: Awaited<ReturnType<typeof occupied>> | undefined;
  for (let life = 0; life < 100; life++) {
    const runtime = await startRuntime({ socketPath });
    await runtime.waitForPlugin('50-nri-scripts');
    const pod = await runtime.runPod(examplePod({ name: `pod-${life}` }));
    const { spec } = await runtime.createContainer(pod, exampleContainer(pod, { name: 'whole' }));
    assert.ok(spec.process?.env?.includes('SEEN=whole'));
    const cut = runtime.createContainer(pod, exampleContainer(pod, { name: 'cut' })).catch(() => {});
    if (life % 2 === 1) await new Promise(setImmediate);
    await runtime.crash();
    await cut;
    await host.settled();
    for (const { handler, container } of reports.splice(0)) {
      const key = `${handler} ${container?.id}`;
      if (handler === 'createContainer') handled.set(key, (handled.get(key) ?? 0) + 1);
    }
    log.length = 0;
    if (life === 30) before = await occupied();
  }
  const after = await occupied();
  assert.equal(states.filter(state => state === 'serving').length, 100);
  assert.ok(handled.size >= 100 && handled.size <= 200, `${handled.size} creations`);
  assert.deepEqual(new Set(handled.values()), new Set([1]));
  t.diagnostic(`${before!.heap >> 10} and ${after.heap >> 10} KiB, ${before!.descriptors} and ${after.descriptors} descriptors`);
  assert.ok(after.descriptors <= before!.descriptors + 2, `descriptors: ${before!.descriptors} then ${after.descriptors}`);
  assert.ok(after.heap < before!.heap + (6 << 20), `bytes: ${before!.heap} then ${after.heap}`);
});

test('what was created while the runtime was away is told by name and passed to scripts; what has gone is forgotten', async t => {
  const files = {
    '10-a.js': `export default {
      synchronize({ containers, missed }, nri) { nri.log.info('state', { known: nri.containers().map(({ name }) => name).sort(), missed }); },
    };`,
  };
  const { runtime, restart, log } = await pluginBench(t, files, {}, atOnce());
  const stated = () => log.filter(line => line.msg === 'state').map(line => line['fields'] as { known: string[]; missed: string[] });
  assert.deepEqual(await eventually(stated, lines => lines.length === 1), [{ known: [], missed: [] }]);
  const pod = await runtime.runPod(examplePod({ name: 'web' }));
  const stays = await runtime.createContainer(pod, exampleContainer(pod, { name: 'stays' }));
  await runtime.createContainer(pod, exampleContainer(pod, { name: 'goes' }));
  await runtime.crash();
  const running = { ...stays.container, state: 'CONTAINER_RUNNING' as const };
  const missed = { ...exampleContainer(pod, { name: 'unseen' }), state: 'CONTAINER_RUNNING' as const };
  const again = await restart({ pods: [pod], containers: [running, missed] });
  await again.waitForPlugin('50-nri-scripts');
  const [, second] = await eventually(stated, lines => lines.length === 2);
  assert.deepEqual(second, { known: ['stays', 'unseen'], missed: [missed.id] });
  const line = log.find(each => each.msg.includes('while there was no connection'))!;
  assert.equal(line.msg, 'a container was created while there was no connection: default/web/unseen');
  assert.deepEqual([line.level, line['missed']], ['info', [missed.id]]);
});

test('events of the last connection that are still waiting bring nothing back that has gone', async t => {
  const files = {
    '10-a.js': `export default {
      startContainer() { for (;;); },
      postStartContainer() {},
      createContainer: (_event, nri) => ({ adjust: { env: { KNOWN: nri.containers().map(({ name }) => name).join() } } }),
    };`,
  };
  const { runtime, restart } = await pluginBench(t, files, {}, atOnce());
  const pod = await runtime.runPod(examplePod());
  const { container } = await runtime.createContainer(pod, exampleContainer(pod, { name: 'gone' }));
  await runtime.startContainer(container);
  await runtime.crash();
  const again = await restart();
  await again.waitForPlugin('50-nri-scripts');
  const later = await again.runPod(examplePod({ name: 'later' }));
  const { spec } = await again.createContainer(later, exampleContainer(later, { name: 'new' }));
  assert.ok(spec.process?.env?.includes('KNOWN=new'), `${spec.process?.env}`);
});

test('another version of the runtime after a restart: another mask, other warnings, other fields', async t => {
  const files = {
    '10-a.js': `export default {
      createContainer: () => ({ adjust: { linux: { oomScoreAdj: 5, scheduler: { policy: 'SCHED_BATCH' } } } }),
      validateContainerAdjustment() {},
    };`,
  };
  const bench = await pluginBench(t, files, { version: 'v1.7.24' }, atOnce());
  let { runtime } = bench;
  const seen: unknown[] = [];
  for (const version of ['v1.7.24', 'v2.1.0', 'v2.2.1', 'v1.7.24']) {
    if (seen.length > 0) {
      await runtime.crash();
      runtime = await bench.restart({ version });
    }
    const { events } = await runtime.waitForPlugin('50-nri-scripts');
    bench.log.length = 0;
    const pod = await runtime.runPod(examplePod());
    const { adjust } = await runtime.createContainer(pod, exampleContainer(pod));
    const dropped = () => bench.log.filter(line => line.code === 'RESULT_NRI_TOO_OLD').map(line => /linux\.\w+/.exec(line.msg)![0]);
    await bench.host.settled();
    seen.push([version, events, Object.keys(adjust.linux ?? {}).filter(key => /^(oom|sched)/.test(key)), dropped()]);
  }
  assert.deepEqual(seen, [
    ['v1.7.24', 0x7ff, [], ['linux.oomScoreAdj', 'linux.scheduler']],
    ['v2.1.0', 0x7ff, ['oomScoreAdj'], ['linux.scheduler']],
    ['v2.2.1', 0x3fff, ['oomScoreAdj', 'scheduler'], []],
    ['v1.7.24', 0x7ff, [], ['linux.oomScoreAdj', 'linux.scheduler']],
  ]);
});

test('2000 containers in several messages are one state, taken in time', async t => {
  const files = {
    '10-a.js': `export default {
      synchronize: ({ pods, containers, missed }, nri) => nri.log.info('state', [pods.length, containers.length, missed.length]),
    };`,
  };
  const { runtime, restart, log } = await pluginBench(t, files, {}, atOnce());
  await runtime.crash();
  const pods = Array.from({ length: 200 }, (_, n) => realisticPod({ name: `pod-${n}` }));
  const containers = pods.flatMap(pod =>
    Array.from({ length: 10 }, (_, n) => ({ ...realisticContainer(pod, { name: `c${n}` }), state: 'CONTAINER_RUNNING' as const })),
  );
  const again = await restart({ pods, containers, requestTimeoutMs: 20_000 });
  await again.waitForPlugin('50-nri-scripts', 30_000);
  const line = await eventually(
    () => log.findLast(each => each.msg === 'state'),
    each => (each?.['fields'] as number[] | undefined)?.[1] === 2000,
  );
  assert.deepEqual(line!['fields'], [200, 2000, 2000]);
  const call = again.calls.find(each => each.call === 'synchronize')!;
  t.diagnostic(`${Math.round(call.millis)} ms`);
  assert.equal(call.error, undefined);
  const told = log.find(each => each.msg.startsWith('2000 containers were created'))!;
  assert.match(told.msg, / billing-production\/pod-0\/c0, .*, 1950 more$/);
});

/** Sockets in a runtime's place, one after the other; `behave` is given each with its number. */
async function impostor(t: TestContext, path: string, behave: (socket: Socket, number: number) => void) {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {});
    sockets.push(socket);
    behave(socket, sockets.length);
  });
  await new Promise<void>(resolve => server.listen(path, resolve));
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise(resolve => server.close(resolve));
  };
  t.after(stop);
  return { sockets, stop };
}

async function serves(socketPath: string, t: TestContext): Promise<void> {
  const runtime = await startRuntime({ socketPath });
  t.after(() => runtime.stop());
  await runtime.waitForPlugin('50-nri-scripts');
  const pod = await runtime.runPod(examplePod());
  const { spec } = await runtime.createContainer(pod, exampleContainer(pod));
  assert.ok(spec.process?.env?.includes('SEEN=1'));
}

const seen = { '10-a.js': creating("return { adjust: { env: { SEEN: '1' } } };") };

function following() {
  const reasons: string[] = [];
  const onState = (_state: unknown, { reason }: StateDetail) => {
    if (reason) reasons.push(reason.code);
  };
  return { reasons, options: { ...atOnce(), onState } };
}

test('a runtime that is silent after the connection is left and tried again', async t => {
  const { reasons, options } = following();
  const { socketPath } = await startPlugin(t, seen, undefined, { ...options, registerTimeoutMs: 30 });
  const silent = await impostor(t, socketPath, () => {});
  await eventually(
    () => reasons.filter(code => code === 'NRI_REGISTRATION_TIMEOUT').length,
    count => count >= 2,
  );
  await silent.stop();
  await serves(socketPath, t);
});

test('a registration that has to wait for another plugin is waited for, on the same connection', async t => {
  const socketPath = join(folder(t).path, 'nri.sock');
  const runtime = await startRuntime({ socketPath, registrationTimeoutMs: 300 });
  t.after(() => runtime.stop());
  // The runtime shakes hands with one plugin at a time, and this one says nothing.
  const ahead = connect({ path: socketPath });
  ahead.on('error', () => {});
  t.after(() => ahead.destroy());
  await new Promise(resolve => ahead.once('connect', resolve));
  const waiting = await startPlugin(t, seen, socketPath);
  await runtime.waitForPlugin('50-nri-scripts');
  assert.deepEqual(waiting.states, ['connecting', 'registering', 'synchronising', 'serving']);
  assert.match(runtime.departures[0]!.reason, /plugin registration timed out/);
});

test('a refused registration is tried again, and taken when the runtime takes it', async t => {
  const { reasons, options } = following();
  const { socketPath } = await startPlugin(t, seen, undefined, options);
  const refusing = await impostor(t, socketPath, socket => {
    serve(createMux(socket, { layout: 'go' }).open(2), () => {
      throw new Error('no plugins today');
    });
  });
  await eventually(
    () => reasons.filter(code => code === 'NRI_REGISTRATION_REFUSED').length,
    count => count >= 2,
  );
  await refusing.stop();
  await serves(socketPath, t);
});

test('a connection that the runtime has closed on its side only is over', async t => {
  const { reasons, options } = following();
  const { socketPath } = await startPlugin(t, seen, undefined, options);
  const half = await impostor(t, socketPath, socket => {
    socket.resume();
    socket.end();
  });
  await eventually(
    () => half.sockets.filter(socket => socket.readableEnded).length,
    count => count >= 2,
  );
  assert.ok(reasons.includes('NRI_HANDSHAKE_FAILED'));
  await half.stop();
  await serves(socketPath, t);
});

test('garbage instead of NRI is left with a coded reason', async t => {
  const { reasons, options } = following();
  const { socketPath } = await startPlugin(t, seen, undefined, options);
  const garbage = await impostor(t, socketPath, socket => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await eventually(
    () => reasons.filter(code => code === 'NRI_PROTOCOL').length,
    count => count >= 2,
  );
  await garbage.stop();
  await serves(socketPath, t);
});

test('a runtime whose bytes come and go a few at a time is served like any other', async t => {
  const { socketPath } = await startPlugin(t, seen, undefined, atOnce());
  const behind = `${socketPath}.behind`;
  const runtime = await startRuntime({ socketPath: behind });
  t.after(() => runtime.stop());
  await impostor(t, socketPath, near => {
    const far = connect({ path: behind });
    far.on('error', () => {});
    t.after(() => far.destroy());
    trickle(near, far).catch(() => {});
    trickle(far, near).catch(() => {});
  });
  await runtime.waitForPlugin('50-nri-scripts');
  const pod = await runtime.runPod(examplePod());
  const { spec } = await runtime.createContainer(pod, exampleContainer(pod));
  assert.ok(spec.process?.env?.includes('SEEN=1'));
});

/** Passes on 61 bytes a turn. */
async function trickle(from: Socket, to: Socket): Promise<void> {
  for await (const chunk of from) {
    for (let at = 0; at < (chunk as Buffer).length; at += 61) {
      to.write((chunk as Buffer).subarray(at, at + 61));
      await new Promise(setImmediate);
    }
  }
}
