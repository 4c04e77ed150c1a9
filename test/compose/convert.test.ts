import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adjustmentForAuthor, containerForAuthor } from '../../src/compose/index.ts';
import { containerWith } from './fixture.ts';

test('a container’s environment becomes a record', () => {
  const wire = { ...containerWith(), env: ['A=1', 'B=x=y', 'EMPTY=', 'BARE', 'A=2', '__proto__=p'] };
  const { env, ...rest } = containerForAuthor(wire);
  assert.deepEqual(Object.entries(env), [
    ['A', '2'],
    ['B', 'x=y'],
    ['EMPTY', ''],
    ['BARE', ''],
    ['__proto__', 'p'],
  ]);
  const { env: _, ...same } = wire;
  assert.deepEqual(rest, same);
});

test('removal marks become null and remove: true', () => {
  const author = adjustmentForAuthor({
    annotations: { '-gone': '', k: 'v' },
    env: [
      { key: '-GONE', value: '' },
      { key: 'A', value: '1' },
    ],
    mounts: [{ destination: '-/gone' }, { destination: '/m', source: '/s' }],
    linux: { devices: [{ path: '-/dev/x' }], namespaces: [{ type: '-network' }], sysctl: { '-s': '' }, netDevices: { '-eth0': {} } },
    args: ['/x'],
  });
  assert.deepEqual(author, {
    annotations: { gone: null, k: 'v' },
    env: { GONE: null, A: '1' },
    mounts: [
      { destination: '/gone', remove: true },
      { destination: '/m', source: '/s' },
    ],
    linux: {
      devices: [{ path: '/dev/x', remove: true }],
      namespaces: [{ type: 'network', remove: true }],
      sysctl: { s: null },
      netDevices: { eth0: null },
    },
    args: ['/x'],
  });
});

test('a mark beside a value is an override: the value counts, in either order', () => {
  assert.deepEqual(adjustmentForAuthor({ annotations: { '-k': '', k: 'v', j: 'w', '-j': '' } }), { annotations: { k: 'v', j: 'w' } });
});

test('an empty adjustment stays empty', () => {
  assert.deepEqual(adjustmentForAuthor({}), {});
});
