import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerUpdate, LinuxResources } from '../../src/nri/messages.ts';
import { mergeCreateContainer, mergeStopContainer, mergeUpdateContainer } from '../../src/testing/merge.ts';
import { latestRules, type MergeRules, mergeRules } from '../../src/testing/merge-rules.ts';
import { OperationError } from '../../src/testing/operation-error.ts';
import { compact, container, type MergeCase, mergeCases } from './merge-cases.ts';

const conflict = (what: string) => `plugins "20-B" and "10-A" both tried to set ${what}`;
const older = mergeRules('0.8.0');

for (const given of mergeCases) {
  test(`${given.name}`, () => assert.deepEqual(outcomeOf(given, latestRules), compact(given.expected)));
  test(`${given.name}, before NRI 0.10`, () => assert.deepEqual(outcomeOf(given, older), compact(given.before010)));
}

function outcomeOf({ call, a, b, requested = {} }: MergeCase, rules: MergeRules): unknown {
  const merge =
    call === 'create'
      ? mergeCreateContainer({ container: container('ctr0') }, rules)
      : call === 'update'
        ? mergeUpdateContainer({ container: container('ctr0'), linuxResources: requested }, rules)
        : mergeStopContainer(rules);
  try {
    merge.add(structuredClone(a), '10-A');
    merge.add(structuredClone(b), '20-B');
  } catch (error) {
    return { error: (error as Error).message };
  }
  return compact(merge.result());
}

const update = (containerId: string, given: LinuxResources, ignoreFailure?: boolean): ContainerUpdate => ({
  containerId,
  linux: { resources: given },
  ...(ignoreFailure !== undefined && { ignoreFailure }),
});

test('create: what was claimed before an ignored conflict stays claimed, and nothing of it is applied', () => {
  const merge = mergeCreateContainer({ container: container('ctr0') });
  merge.add({ update: [update('ctr1', { cpu: { shares: 1 } })] }, '10-A');
  merge.add({ update: [update('ctr1', { memory: { limit: 2 }, cpu: { shares: 2 } }, true)] }, '20-B');
  assert.deepEqual(compact(merge.result()), { update: [update('ctr1', { cpu: { shares: 1 } })] });
  assert.throws(() => merge.add({ update: [update('ctr1', memory(3))] }, '30-C'), {
    message: 'plugins "30-C" and "20-B" both tried to set MemLimit ',
  });
});

test('create: a plugin that sets one key twice conflicts with itself', () => {
  const merge = mergeCreateContainer({ container: container('ctr0') });
  assert.throws(() => merge.add({ adjust: { env: [...env('FOO', '1'), ...env('FOO', '2')] } }, '10-x'), {
    message: 'plugins "10-x" and "10-x" both tried to set Env FOO',
  });
});

test('create: after a mark only the plugin that cleared may set the key, before NRI 0.10 any', () => {
  const free = mergeCreateContainer({ container: container('ctr0') }, older);
  for (const [plugin, key, value] of [
    ['10-A', 'E', '1'],
    ['20-B', '-E', ''],
    ['30-C', 'E', '3'],
  ] as const) {
    free.add({ adjust: { env: env(key, value) } }, plugin);
  }
  assert.deepEqual(free.result().adjust.env, env('E', '3'));
  const merge = mergeCreateContainer({ container: container('ctr0') });
  merge.add({ adjust: { env: env('E', '1') } }, '10-A');
  merge.add({ adjust: { env: env('-E', '') } }, '20-B');
  assert.throws(() => merge.add({ adjust: { env: env('E', '3') } }, '30-C'), {
    message: 'plugins "30-C" and "20-B" both tried to set Env E',
  });
});

test('create: the next plugin sees the container as changed, and the given request stays as it was', () => {
  const given = { container: container('ctr0') };
  const merge = mergeCreateContainer(given);
  merge.add(
    {
      adjust: {
        annotations: { k: 'v' },
        env: env('X', 'new'),
        mounts: [bind('/m', '/s')],
        args: ['/other'],
        linux: { resources: { memory: { limit: 7 } }, oomScoreAdj: 5, namespaces: [{ type: '-network' }], sysctl: { s: '1' } },
      },
    },
    '10-A',
  );
  const seen = merge.request.container;
  assert.equal(seen.annotations['k'], 'v');
  assert.deepEqual(seen.env, ['PATH=/bin', 'X=new']);
  assert.deepEqual(seen.mounts, [bind('/m', '/s')]);
  assert.deepEqual(seen.args, ['/other']);
  assert.equal(seen.linux.resources.memory.limit, 7);
  assert.equal(seen.linux.oomScoreAdj, 5);
  assert.deepEqual(seen.linux.namespaces, [{ type: 'pid' }]);
  assert.deepEqual(seen.linux.sysctl, { s: '1' });
  assert.deepEqual(given.container, container('ctr0'));
});

test('owners name every field by its number, cleared fields and shared hooks included', () => {
  const merge = mergeCreateContainer({ container: container('ctr0') });
  const hooks = { poststop: [{ path: '/h' }] };
  merge.add({ adjust: { env: env('E', '1'), hooks, linux: { oomScoreAdj: 1 } } }, '10-A');
  merge.add({ adjust: { env: env('-E', ''), hooks }, update: [update('ctr1', memory(1))] }, '20-B');
  assert.deepEqual(merge.owners.message(), {
    owners: {
      ctr0: { simple: { 29: '10-A', 3: '10-A,20-B' }, compound: { 6: { owners: { E: '-20-B' } } } },
      ctr1: { simple: { 8: '20-B' }, compound: {} },
    },
  });
  assert.deepEqual(merge.owners.named(), {
    ctr0: { OomScoreAdj: '10-A', OciHooks: '10-A,20-B', Env: { E: '-20-B' } },
    ctr1: { MemLimit: '20-B' },
  });
});

test('a key named __proto__ is a key like any other', () => {
  const merge = mergeCreateContainer({ container: container('ctr0') });
  const annotations = JSON.parse('{"__proto__": "1"}') as Record<string, string>;
  merge.add({ adjust: { annotations } }, '10-A');
  assert.ok(Object.hasOwn(merge.result().adjust.annotations!, '__proto__'));
  assert.throws(() => merge.add({ adjust: { annotations } }, '20-B'), { message: conflict('Annotations __proto__') });
});

test('update: the next plugin sees the request as an answer changed it', () => {
  const merge = mergeUpdateContainer({ container: container('ctr0'), linuxResources: { cpu: { shares: 99 } } });
  merge.add({ update: [update('ctr0', memory(7))] }, '10-A');
  assert.deepEqual(compact(merge.result()), { update: [update('ctr0', { cpu: { shares: 99 }, memory: { limit: 7 } })] });
  assert.deepEqual(compact(merge.request.linuxResources), { cpu: { shares: 99 }, memory: { limit: 7 } });
});

test('an update keeps ignoreFailure only while all who update the container ask for it', () => {
  const merge = mergeStopContainer();
  merge.add({ update: [update('ctr1', memory(1), true)] }, '10-A');
  assert.equal(merge.result().update[0]!.ignoreFailure, true);
  merge.add({ update: [update('ctr1', { cpu: { shares: 1 } })] }, '20-B');
  assert.equal(merge.result().update[0]!.ignoreFailure, false);
});

test('a conflict names the plugins', () => {
  const merge = mergeCreateContainer({ container: container('ctr0') });
  merge.add({ adjust: { args: ['/x'] } }, '10-A');
  assert.throws(
    () => merge.add({ adjust: { args: ['/y'] } }, '20-B'),
    (error: unknown) => error instanceof OperationError && error.plugins.join() === '20-B,10-A',
  );
});

function env(key: string, value: string) {
  return [{ key, value }];
}

function bind(destination: string, source: string) {
  return { destination, source, type: 'bind' };
}

function memory(limit: number): LinuxResources {
  return { memory: { limit } };
}
