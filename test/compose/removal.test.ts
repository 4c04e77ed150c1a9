import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginCreate, contribute, finish, viewContainer } from '../../src/compose/index.ts';
import { composed, containerWith, script } from './fixture.ts';

const mountAt = (destination: string, source = '/s') => ({ destination, source });
const device = { path: '/dev/x', type: 'c', major: 1, minor: 3 };

test('a removed annotation or mount becomes a mark', () => {
  const container = containerWith({ annotations: { k: 'v' }, mounts: [mountAt('/m')] });
  const result = { adjust: { annotations: { k: null }, mounts: [{ destination: '/m', remove: true }] } };
  const composition = composed(container, [result]);
  assert.deepEqual(finish(composition).adjust, { annotations: { '-k': '' }, mounts: [{ destination: '-/m' }] });
  assert.deepEqual(viewContainer(composition)!.annotations, {});
  assert.deepEqual(viewContainer(composition)!.mounts, []);
});

test('removing what is not there sends nothing', () => {
  const result = { adjust: { annotations: { k: null }, env: { A: null }, mounts: [{ destination: '/m', remove: true }] } };
  assert.equal(finish(composed(containerWith(), [result])).adjust, undefined);
});

test('removing what an earlier script added cancels both', () => {
  const add = { adjust: { annotations: { k: 'v' }, linux: { sysctl: { s: '1' }, netDevices: { eth1: {} }, devices: [device] } } };
  const remove = {
    adjust: {
      annotations: { k: null },
      linux: { sysctl: { s: null }, netDevices: { eth1: null }, devices: [{ path: '/dev/x', remove: true }] },
    },
  };
  const { adjust, ledger } = finish(composed(containerWith(), [add, remove]));
  assert.equal(adjust, undefined);
  assert.deepEqual(new Set(ledger.map(entry => `${entry.script} ${entry.outcome}`)), new Set(['20-b unchanged']));
});

test('of a map key that is removed and set again only the value is sent', () => {
  const container = containerWith({ annotations: { k: 'v' } });
  const results = [{ adjust: { annotations: { k: null } } }, { adjust: { annotations: { k: 'new' } } }];
  assert.deepEqual(finish(composed(container, results)).adjust, { annotations: { k: 'new' } });
});

test('a list entry that is removed and set again carries the mark, which overrides another plugin', () => {
  const container = containerWith({ env: { A: '1' }, mounts: [mountAt('/m')], linux: { devices: [{ ...device, minor: 9 }] } });
  const results = [
    { adjust: { env: { A: null } } },
    {
      adjust: {
        env: { A: '2' },
        mounts: [mountAt('/m', '/t'), { destination: '/m', remove: true }],
        linux: { devices: [{ path: '/dev/x', remove: true }, device] },
      },
    },
  ];
  assert.deepEqual(finish(composed(container, results)).adjust, {
    env: [
      { key: '-A', value: '' },
      { key: 'A', value: '2' },
    ],
    mounts: [{ destination: '-/m' }, mountAt('/m', '/t')],
    linux: { devices: [{ path: '-/dev/x' }, device] },
  });
});

test('a plain new value for a list entry carries no mark', () => {
  const container = containerWith({ env: { A: '1' }, mounts: [mountAt('/m')] });
  assert.deepEqual(finish(composed(container, [{ adjust: { env: { A: '2' }, mounts: [mountAt('/m', '/t')] } }])).adjust, {
    env: [{ key: 'A', value: '2' }],
    mounts: [mountAt('/m', '/t')],
  });
});

test('removing a variable or a device is told to undo other plugins only', () => {
  const composition = beginCreate({ container: containerWith({ env: { A: '1' }, linux: { devices: [device] } }), nriVersion: '' });
  const { problems } = contribute(composition, script(0), {
    adjust: { env: { A: null }, linux: { devices: [{ path: '/dev/x', remove: true }] } },
  });
  assert.deepEqual(
    problems.map(({ code, effect }) => `${code} ${effect}`),
    ['PLUGIN_VALUES_ONLY warned', 'PLUGIN_VALUES_ONLY warned'],
  );
  assert.deepEqual(finish(composition).adjust, { env: [{ key: '-A', value: '' }], linux: { devices: [{ path: '-/dev/x' }] } });
});

test("a namespace has one entry: a type's removal and its new value both claim it", () => {
  const container = containerWith({ linux: { namespaces: [{ type: 'network', path: '' }, { type: 'pid' }] } });
  const remove = { adjust: { linux: { namespaces: [{ type: 'network', remove: true }] } } };
  const set = { adjust: { linux: { namespaces: [{ type: 'network', path: '/ns' }] } } };
  assert.deepEqual(finish(composed(container, [remove])).adjust, { linux: { namespaces: [{ type: '-network' }] } });
  assert.deepEqual(finish(composed(container, [remove, set])).adjust, { linux: { namespaces: [{ type: 'network', path: '/ns' }] } });
});

test('a sysctl removal that the runtime would misplace is dropped and told', () => {
  const container = containerWith({ linux: { sysctl: { s: '1' }, netDevices: { eth1: {} } } });
  const result = { adjust: { linux: { sysctl: { s: null }, netDevices: { eth1: null } } } };
  for (const version of ['', '0.12.2']) {
    const composition = beginCreate({ container, nriVersion: version });
    const { problems, claims } = contribute(composition, script(0), result);
    assert.deepEqual(
      problems.map(({ code, path }) => [code, path]),
      [
        ['NOT_REMOVABLE', 'adjust.linux.sysctl.s'],
        ['NOT_REMOVABLE', 'adjust.linux.netDevices.eth1'],
      ],
    );
    assert.equal(claims, 0);
    assert.equal(finish(composition).adjust, undefined);
  }
  assert.deepEqual(finish(composed(container, [result], '0.13.0')).adjust, { linux: { sysctl: { '-s': '' } } });
});

test('rdt fields are claimed one by one', () => {
  const results = [{ adjust: { linux: { rdt: { closId: 'a' } } } }, { adjust: { linux: { rdt: { schemata: ['L3:0=f'] } } } }];
  assert.deepEqual(finish(composed(containerWith(), results)).adjust, { linux: { rdt: { closId: 'a', schemata: ['L3:0=f'] } } });
});

test('removing rdt clears what the container and earlier scripts set, then stands beside all values', () => {
  const container = containerWith({ linux: { rdt: { closId: 'old', enableMonitoring: true } } });
  const first = { adjust: { linux: { rdt: { schemata: ['L3:0=f'] } } } };
  const remove = { adjust: { linux: { rdt: { closId: 'new', remove: true } } } };
  assert.deepEqual(finish(composed(container, [first, remove])).adjust, { linux: { rdt: { closId: 'new', remove: true } } });
  assert.deepEqual(finish(composed(container, [{ adjust: { linux: { rdt: { remove: true } } } }])).adjust, {
    linux: { rdt: { remove: true } },
  });
  assert.equal(finish(composed(containerWith(), [first, { adjust: { linux: { rdt: { remove: true } } } }])).adjust, undefined);
});

test('a removal has only its key and remove: true', () => {
  const composition = beginCreate({ container: containerWith(), nriVersion: '' });
  const mounts = [
    { destination: '/m', remove: false },
    { destination: '/n', remove: true, source: '/x' },
  ];
  assert.deepEqual(
    contribute(composition, script(0), { adjust: { mounts } }).problems.map(({ code, path }) => [code, path]),
    [
      ['BAD_VALUE', 'adjust.mounts[0].remove'],
      ['UNKNOWN_FIELD', 'adjust.mounts[1].source'],
    ],
  );
});
