import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exampleContainer, examplePod } from '../../src/testing/index.ts';
import { eventually } from '../support/eventually.ts';
import { folder } from '../support/folder.ts';
import { pluginBench } from '../support/plugin.ts';

const creating = (body: string) => `export default { createContainer({ pod, container }, nri) { ${body} } };`;

test('what scripts return is in the container, later files win, and the report says who lost', async t => {
  const { runtime, reports } = await pluginBench(t, {
    '10-a.js': creating("return { adjust: { env: { WHO: 'a', A: '1' } } };"),
    '20-b.js': creating("return { adjust: { env: { WHO: 'b', SEEN: container.env.WHO } } };"),
  });
  const pod = await runtime.runPod(examplePod());
  const { spec } = await runtime.createContainer(pod, exampleContainer(pod));
  const env = spec.process?.env ?? [];
  for (const expected of ['WHO=b', 'A=1', 'SEEN=a']) assert.ok(env.includes(expected), `${expected} in ${env}`);
  const { ledger } = reports.find(report => report.handler === 'createContainer')!;
  assert.deepEqual(
    ledger.find(entry => entry.field === 'env.WHO'),
    {
      container: ledger[0]!.container,
      field: 'env.WHO',
      script: '20-b.js',
      value: 'b',
      was: undefined,
      lost: [{ script: '10-a.js', value: 'a' }],
      outcome: 'set',
    },
  );
});

test('a script that throws, one that returns nonsense and one that hangs lose their own contribution only', async t => {
  const { runtime, reports, log } = await pluginBench(t, {
    '10-throw.js': creating("throw new Error('x');"),
    '20-nonsense.js': creating("return { adjust: { env: { GONE: '1' }, linux: { resources: { cpu: { quota: 'abc' } } } } };"),
    '30-hang.js': creating('for (;;);'),
    '40-good.js': creating("return { adjust: { env: { GOOD: '1' } } };"),
  });
  const pod = await runtime.runPod(examplePod());
  const { spec } = await runtime.createContainer(pod, exampleContainer(pod));
  assert.ok(spec.process?.env?.includes('GOOD=1'));
  assert.ok(!spec.process?.env?.includes('GONE=1'));
  const report = reports.find(each => each.handler === 'createContainer')!;
  assert.deepEqual(
    report.scripts.map(script => script.outcome),
    ['error', 'refused', 'timeout', 'ok'],
  );
  assert.ok(log.some(line => line.msg === '20-nonsense.js: adjust.linux.resources.cpu.quota: expected an integer, got "abc"'));
  assert.deepEqual(runtime.departures, []);
});

test('fields without a grant are dropped, the rest stays, and the log names the line to add', async t => {
  const { runtime, log } = await pluginBench(t, {
    '10-a.js': creating("return { adjust: { env: { STAYS: '1' }, mounts: [{ destination: '/x', source: '/y', type: 'bind' }] } };"),
  });
  const pod = await runtime.runPod(examplePod());
  const { spec, adjust } = await runtime.createContainer(pod, exampleContainer(pod));
  assert.ok(spec.process?.env?.includes('STAYS=1'));
  assert.equal(adjust.mounts?.length ?? 0, 0);
  assert.ok(log.some(line => line.code === 'RESULT_NOT_ALLOWED' && /allow: \[mounts\]/.test(line.msg)));
});

test('a shadow script changes nothing, and the report says what it would have changed', async t => {
  const { runtime, reports } = await pluginBench(t, {
    '10-a.js': creating("return { adjust: { env: { NEVER: '1' } } };"),
    '10-a.yaml': 'mode: shadow',
    '20-b.js': creating('return { adjust: { env: { SAW: String(container.env.NEVER) } } };'),
  });
  const pod = await runtime.runPod(examplePod());
  const { spec } = await runtime.createContainer(pod, exampleContainer(pod));
  assert.ok(spec.process?.env?.includes('SAW=undefined'));
  assert.ok(!spec.process?.env?.includes('NEVER=1'));
  const entry = reports.flatMap(report => report.ledger).find(each => each.field === 'env.NEVER');
  assert.equal(entry?.outcome, 'shadow');
});

test('match decides which pods a script is for', async t => {
  const { runtime, reports } = await pluginBench(t, {
    '10-a.js': creating("return { adjust: { env: { MATCHED: '1' } } };"),
    '10-a.yaml': "match: { namespaces: ['shop-*', '!shop-test'], containers: app }",
  });
  const matched = async (namespace: string, name: string) => {
    const pod = await runtime.runPod(examplePod({ namespace, name: `${namespace}-${name}` }));
    const { spec } = await runtime.createContainer(pod, exampleContainer(pod, { name }));
    return spec.process?.env?.includes('MATCHED=1');
  };
  assert.deepEqual(
    [
      await matched('shop-1', 'app'),
      await matched('shop-1', 'sidecar'),
      await matched('shop-test', 'app'),
      await matched('default', 'app'),
    ],
    [true, false, false, false],
  );
  assert.equal(reports.filter(report => report.scripts.length > 0).length, 1);
});

test('a failed script fails the operation only when its settings say so, with its own message', async t => {
  const { runtime, scripts } = await pluginBench(t, {
    '10-guard.js': creating("if (!pod.labels.owner) throw new Error('every pod needs an owner label');"),
  });
  const pod = await runtime.runPod(examplePod());
  await runtime.createContainer(pod, exampleContainer(pod, { name: 'before' }));
  scripts.write({ '10-guard.yaml': 'onError: fail' });
  const refused = async () => {
    try {
      await runtime.createContainer(pod, exampleContainer(pod, { name: `c${Math.random()}` }));
      return '';
    } catch (error) {
      return String(error);
    }
  };
  const message = await eventually(refused, text => text !== '');
  assert.match(message, /10-guard\.js: every pod needs an owner label/);
  assert.deepEqual(runtime.departures, [], 'a refusal does not cost the connection');
});

test('updates of other containers and unsolicited ones arrive', async t => {
  const { runtime } = await pluginBench(t, {
    '10-a.js': `export default {
      createContainer({ pod, container }, nri) {
        return { update: nri.containers(pod.id).filter(each => each.id !== container.id).map(({ id }) => ({ containerId: id, linux: { resources: { cpu: { shares: 11 } } } })) };
      },
      postStartContainer: ({ container }, nri) => nri.update({ containerId: container.id, linux: { resources: { memory: { limit: 9007199254740993n } } } }),
    };`,
  });
  const pod = await runtime.runPod(examplePod());
  const first = await runtime.createContainer(pod, exampleContainer(pod, { name: 'first' }));
  const { update } = await runtime.createContainer(pod, exampleContainer(pod, { name: 'second' }));
  assert.deepEqual(
    update.map(each => [each.containerId, each.linux?.resources?.cpu?.shares]),
    [[first.container.id, 11]],
  );
  await runtime.startContainer(first.container);
  await eventually(
    () => runtime.container(first.container).linux?.resources?.memory?.limit,
    limit => limit === 9007199254740993n,
  );
});

test('what a script keeps survives events and a change of the script', async t => {
  const counting = (step: number) =>
    creating(`const n = (nri.state.get('n') ?? 0) + ${step}; nri.state.set('n', n); return { adjust: { env: { N: String(n) } } };`);
  const { runtime, scripts, host } = await pluginBench(t, { '10-a.js': counting(1) });
  const pod = await runtime.runPod(examplePod());
  const create = async (name: string) => {
    const { spec } = await runtime.createContainer(pod, exampleContainer(pod, { name }));
    return spec.process?.env?.find(each => each.startsWith('N='));
  };
  assert.deepEqual([await create('a'), await create('b')], ['N=1', 'N=2']);
  const before = host.active()[0]!.id;
  scripts.write({ '10-a.js': counting(10) });
  await eventually(
    () => host.active()[0]!.id,
    id => id !== before,
  );
  assert.equal(await create('c'), 'N=12');
});

test('validation is subscribed to only when a script validates, and refuses with its reason', async t => {
  const validating =
    "export default { validateContainerAdjustment: ({ container, adjust, owners }) => container.name === 'bad' ? { reject: 'no such name' } : undefined };";
  const version = { version: 'v2.2.1' };
  const without = await pluginBench(t, { '10-a.js': creating('') }, version);
  assert.equal(without.runtime.plugins()[0]!.events & (1 << 13), 0);
  const { runtime } = await pluginBench(t, { '10-a.js': validating }, version);
  assert.notEqual(runtime.plugins()[0]!.events & (1 << 13), 0);
  const pod = await runtime.runPod(examplePod());
  await runtime.createContainer(pod, exampleContainer(pod, { name: 'good' }));
  await assert.rejects(runtime.createContainer(pod, exampleContainer(pod, { name: 'bad' })), /no such name/);
});

test('what this runtime’s NRI ignores is not sent but told', async t => {
  const { runtime, log } = await pluginBench(
    t,
    { '10-a.js': creating('return { adjust: { linux: { oomScoreAdj: 5, resources: { pids: { limit: 10 }, cpu: { quota: 7 } } } } };') },
    { version: 'v1.7.24' },
  );
  const pod = await runtime.runPod(examplePod());
  const { adjust } = await runtime.createContainer(pod, exampleContainer(pod));
  assert.equal(adjust.linux?.oomScoreAdj, undefined);
  assert.equal(adjust.linux?.resources?.cpu?.quota, 7);
  assert.equal(log.filter(line => line.code === 'RESULT_NRI_TOO_OLD').length, 2);
});

test('after a crash of the runtime the plugin is back and synchronised by itself, with 500 containers', async t => {
  const { runtime, restart, log } = await pluginBench(t, {
    '10-a.js': `export default {
      synchronize({ pods, containers }, nri) {
        nri.log.info('state', { pods: pods.length, containers: containers.length, last: containers.at(-1)?.name });
        return { update: containers.slice(0, 2).map(({ id }) => ({ containerId: id, linux: { resources: { cpu: { shares: 77 } } } })) };
      },
    };`,
  });
  await runtime.crash();
  const pods = Array.from({ length: 50 }, (_, n) => examplePod({ name: `pod-${n}` }));
  const containers = pods.flatMap(pod =>
    Array.from({ length: 10 }, (_, n) => ({ ...exampleContainer(pod, { name: `c${n}` }), state: 'CONTAINER_RUNNING' as const })),
  );
  const again = await restart({ pods, containers, synchronizeBytesMax: 200_000 });
  await again.waitForPlugin('50-nri-scripts', 20_000);
  const state = await eventually(
    () => log.findLast(line => line.msg === 'state'),
    line => line !== undefined && (line['fields'] as { containers: number }).containers === 500,
  );
  assert.deepEqual(state!['fields'], { pods: 50, containers: 500, last: 'c9' });
  assert.ok(again.calls.some(call => call.call === 'synchronize' && call.error === undefined));
  assert.equal(again.container(containers[1]!).linux?.resources?.cpu?.shares, 77);
});

test('a script’s log goes to its own file as well', async t => {
  const { path } = folder(t);
  const file = join(path, 'own.log');
  const { runtime, log } = await pluginBench(t, {
    '10-a.js': creating("nri.log.warn('seen', { name: container.name });"),
    '10-a.yaml': `logFile: ${file}`,
  });
  const pod = await runtime.runPod(examplePod({ name: 'web' }));
  await runtime.createContainer(pod, exampleContainer(pod, { name: 'app' }));
  const line = log.find(each => each.msg === 'seen')!;
  assert.deepEqual(
    [line.level, line['script'], line['pod'], line['container'], line['fields']],
    ['warn', '10-a.js', 'default/web', 'app', { name: 'app' }],
  );
  await eventually(
    () => existsSync(file) && readFileSync(file, 'utf8'),
    text => text !== false && text.includes('"message":"seen"'),
  );
});

test('events to which NRI takes no answer do not wait for scripts', async t => {
  const { runtime, host, reports } = await pluginBench(t, { '10-a.js': 'export default { startContainer() { for (;;); } };' });
  const pod = await runtime.runPod(examplePod());
  const { container } = await runtime.createContainer(pod, exampleContainer(pod));
  await runtime.startContainer(container);
  const call = runtime.calls.findLast(each => each.call === 'startContainer')!;
  await host.settled();
  const report = reports.find(each => each.handler === 'startContainer')!;
  assert.equal(report.scripts[0]?.outcome, 'timeout');
  assert.ok(call.millis * 1000 < report.micros, `answered after ${call.millis} ms, handled after ${report.micros} µs`);
});

test("an event's report says where its time went, and the log does at debug level", async t => {
  const { runtime, reports, log } = await pluginBench(t, { '10-a.js': creating('return { adjust: { env: { A: container.name } } };') });
  const pod = await runtime.runPod(examplePod());
  await runtime.createContainer(pod, exampleContainer(pod));
  const report = await eventually(
    () => reports.find(each => each.handler === 'createContainer'),
    each => each !== undefined,
  );
  const { stages } = report!;
  assert.deepEqual(
    Object.keys(stages!).sort(),
    ['choose', 'contexts', 'decode', 'hop', 'merge', 'process', 'reply', 'send', 'wait'].sort(),
  );
  for (const [stage, value] of Object.entries(stages!)) assert.ok(Number.isSafeInteger(value) && value >= 0, `${stage}: ${value}`);
  const line = log.find(each => each['event'] === 'createContainer' && each['micros'] !== undefined);
  assert.deepEqual(line?.['stages'], stages);
});
