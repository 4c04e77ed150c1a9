import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import { CodecError, createCodec } from '../../src/nri/codec.ts';
import type { ContainerAdjustment, ContainerUpdate, LinuxContainerAdjustment, LinuxResources, Messages } from '../../src/nri/messages.ts';
import { container, pod } from './samples.ts';

const codec = createCodec();
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const decodeHex = <Name extends keyof Messages>(name: Name, hex: string) => codec.decode(name, Buffer.from(hex.replaceAll(' ', ''), 'hex'));

const root = protobuf.parse(readFileSync(new URL('../../proto/nri.proto', import.meta.url), 'utf8'), { keepCase: true }).root.resolveAll();
/** What stands in the message, by the wire's own names, as protobufjs' reflection reads it. */
const onTheWire = (name: string, bytes: Uint8Array) => {
  const type = root.lookupType(`nri.pkg.api.v1alpha1.${name}`);
  return type.toObject(type.decode(bytes), { longs: String });
};

const resources = (fields: LinuxResources): ContainerUpdate => ({ containerId: '', linux: { resources: fields } });
const throughUpdate = (fields: LinuxResources) =>
  codec.decode('ContainerUpdate', codec.encode('ContainerUpdate', resources(fields))).linux!.resources!;

test('64-bit values survive, to both ends of their range', () => {
  for (const limit of [
    1,
    -1,
    2 ** 31,
    -(2 ** 31),
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    2n ** 53n,
    -(2n ** 53n),
    2n ** 63n - 1n,
    -(2n ** 63n),
  ])
    assert.equal(throughUpdate({ memory: { limit } }).memory!.limit, limit);
  for (const shares of [1, 2 ** 32, Number.MAX_SAFE_INTEGER, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n])
    assert.equal(throughUpdate({ cpu: { shares } }).cpu!.shares, shares);
});

test('RLIM_INFINITY survives', () => {
  const rlimits = [{ type: 'RLIMIT_NOFILE', hard: 18446744073709551615n, soft: 1024 }];
  const bytes = codec.encode('ContainerAdjustment', { rlimits });
  assert.deepEqual(codec.decode('ContainerAdjustment', bytes).rlimits, rlimits);
  assert.deepEqual(onTheWire('ContainerAdjustment', bytes)['rlimits'], [
    { type: 'RLIMIT_NOFILE', hard: '18446744073709551615', soft: '1024' },
  ]);
});

test('a bigint that fits in a number is the same on the wire', () => {
  assert.deepEqual(
    codec.encode('ContainerUpdate', resources({ cpu: { quota: -1n } })),
    codec.encode('ContainerUpdate', resources({ cpu: { quota: -1 } })),
  );
});

test('a value out of its range is refused, not wrapped', () => {
  const refused: LinuxResources[] = [
    { memory: { limit: 2n ** 63n } },
    { memory: { limit: -(2n ** 63n) - 1n } },
    { cpu: { shares: -1 } },
    { cpu: { shares: -1n } },
    { cpu: { shares: 2n ** 64n } },
    { cpu: { quota: 1.5 } },
    { cpu: { quota: Number.NaN } },
    { cpu: { quota: 1e30 } },
  ];
  for (const fields of refused) assert.throws(() => codec.encode('ContainerUpdate', resources(fields)), CodecError);
});

test('a value of another type is refused, and the message says where', () => {
  const refuse = (adjust: unknown, message: RegExp) =>
    assert.throws(() => codec.encode('CreateContainerResponse', { adjust: adjust as ContainerAdjustment }), {
      code: 'NRI_MALFORMED_MESSAGE',
      message,
    });
  refuse({ args: 'sh' }, /adjust: args/);
  refuse({ args: [1] }, /adjust: args: 1 is not a string/);
  refuse({ annotations: { a: {} } }, /adjust: annotations: an object is not a string/);
  refuse({ linux: { oomScoreAdj: 'high' } }, /adjust: linux: oomScoreAdj: high is not an int/);
  refuse({ linux: { resources: { cpu: { quota: '100' } } } }, /quota: 100 is not an int64/);
  refuse({ linux: { resources: { memory: { useHierarchy: 1 } } } }, /useHierarchy: 1 is not a boolean/);
  refuse({ linux: { ioPriority: { class: 'IOPRIO_CLASS_BOGUS' } } }, /class: IOPRIO_CLASS_BOGUS/);
  refuse({ linux: { ioPriority: { class: 'constructor' } } }, /class: constructor/);
  refuse({ linux: { devices: [{ path: '/dev/x', uid: -1 }] } }, /devices: uid: -1 is not a uint32/);
});

test('optional values keep their presence: a zero is not absence', () => {
  const zeros: LinuxResources = { memory: { limit: 0, useHierarchy: false }, cpu: { quota: 0, period: 0 }, blockioClass: '' };
  assert.deepEqual(throughUpdate(zeros).memory, zeros.memory);
  assert.deepEqual(throughUpdate(zeros).cpu, { ...zeros.cpu, cpus: '', mems: '' });
  assert.equal(throughUpdate(zeros).blockioClass, '');
  const none = throughUpdate({ memory: {}, cpu: {} });
  assert.deepEqual(none.memory, {});
  assert.ok(!('blockioClass' in none));
});

test('an optional zero is an empty message, as Go writes it', () => {
  assert.deepEqual(onTheWire('ContainerUpdate', codec.encode('ContainerUpdate', resources({ cpu: { quota: 0 } }))), {
    linux: { resources: { cpu: { quota: {} } } },
  });
});

test('an optional list keeps its presence, and nobody shares it', () => {
  const through = (schemata: string[]) =>
    codec.decode('ContainerAdjustment', codec.encode('ContainerAdjustment', { linux: { rdt: { schemata } } })).linux!.rdt!.schemata;
  assert.deepEqual(through(['L3:0=f']), ['L3:0=f']);
  assert.deepEqual(through([]), []);
  through([])!.push('mine');
  assert.deepEqual(through([]), []);
});

test('undefined and null are absence', () => {
  const update = { containerId: 'c', linux: undefined, ignoreFailure: null } as unknown as ContainerUpdate;
  assert.deepEqual(onTheWire('ContainerUpdate', codec.encode('ContainerUpdate', update)), { container_id: 'c' });
});

test('enumerations are names, and unknown numbers survive', () => {
  assert.equal(decodeHex('Container', '20 03').state, 'CONTAINER_RUNNING');
  assert.equal(decodeHex('Container', '20 63').state, '99' as never);
  assert.equal(hexOf(codec.encode('Container', container('', { state: '99' as never }))), '2063');
  assert.equal(hexOf(codec.encode('Container', container('', { state: 'CONTAINER_RUNNING' }))), '2003');
  assert.equal(decodeHex('StateChangeEvent', '08 01').event, 'RUN_POD_SANDBOX');
});

test('an enumeration within an optional or a list is a name', () => {
  const linux: LinuxContainerAdjustment = {
    scheduler: { policy: 'SCHED_DEADLINE', nice: 0, priority: 0, flags: ['SCHED_FLAG_RECLAIM'], runtime: 1, deadline: 2, period: 3 },
    memoryPolicy: { mode: 'MPOL_BIND', nodes: '0-1', flags: ['MPOL_F_STATIC_NODES'] },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 },
  };
  const decoded = codec.decode('ContainerAdjustment', codec.encode('ContainerAdjustment', { linux })).linux!;
  assert.deepEqual(decoded.scheduler, linux.scheduler);
  assert.deepEqual(decoded.memoryPolicy, linux.memoryPolicy);
  assert.deepEqual(decoded.ioPriority, linux.ioPriority);
});

test("the wire's odd names are plain ones", () => {
  const bytes = codec.encode('CreateContainerResponse', { adjust: { cdiDevices: [{ name: 'vendor.com/gpu=0' }] } });
  assert.deepEqual(onTheWire('CreateContainerResponse', bytes), { adjust: { CDI_devices: [{ name: 'vendor.com/gpu=0' }] } });
  assert.deepEqual(codec.decode('CreateContainerResponse', bytes).adjust!.cdiDevices, [{ name: 'vendor.com/gpu=0' }]);
  assert.equal(decodeHex('ConfigureRequest', '32 07 76302e31322e30').nriVersion, 'v0.12.0');
});

test('keys that mean something to JavaScript are keys like any other, both ways', () => {
  const annotations = Object.fromEntries([
    ['__proto__', 'p'],
    ['constructor', 'c'],
    ['toString', 't'],
    ['hasOwnProperty', 'h'],
    ['', 'empty'],
  ]);
  assert.ok(Object.hasOwn(annotations, '__proto__'));
  const bytes = codec.encode('PodSandbox', pod('p', { annotations }));
  const decoded = codec.decode('PodSandbox', bytes).annotations;
  assert.deepEqual(Object.entries(decoded).sort(), Object.entries(annotations).sort());
  assert.equal(Object.getPrototypeOf(decoded), Object.prototype);
  assert.equal(({} as { p?: string }).p, undefined);
});

test('a removal mark is a key like any other', () => {
  const adjust: ContainerAdjustment = { annotations: { '-gone': '' }, env: [{ key: '-HOME', value: '' }] };
  const decoded = codec.decode('ContainerAdjustment', codec.encode('ContainerAdjustment', adjust));
  assert.deepEqual(decoded.annotations, adjust.annotations);
  assert.deepEqual(decoded.env, adjust.env);
});

test('a decoded message has every scalar, list and map, and only the messages that were sent', () => {
  const decoded = decodeHex('Container', '');
  assert.deepEqual(
    [decoded.id, decoded.state, decoded.pid, decoded.createdAt, decoded.env, decoded.labels],
    ['', 'CONTAINER_UNKNOWN', 0, 0, [], {}],
  );
  assert.ok(!('linux' in decoded) && !('user' in decoded));
});

test('owners have their field numbers and container ids for keys', () => {
  const request: Messages['ValidateContainerAdjustmentRequest'] = {
    update: [],
    plugins: [{ name: 'demo', index: '10' }],
    owners: { owners: { c1: { simple: { '17': '10-demo' }, compound: { '6': { owners: { HOME: '-10-demo' } } } } } },
  };
  const decoded = codec.decode('ValidateContainerAdjustmentRequest', codec.encode('ValidateContainerAdjustmentRequest', request));
  assert.deepEqual(decoded.owners, request.owners);
  assert.deepEqual(decoded.plugins, request.plugins);
});

test("defaults are left out, as Go's encoder does", () => {
  assert.equal(codec.encode('Container', container('')).length, 0);
  assert.equal(codec.encode('CreateContainerResponse', {}).length, 0);
  assert.equal(hexOf(codec.encode('ConfigureResponse', { events: 8 })), '1008');
  assert.equal(hexOf(codec.encode('RegisterPluginRequest', { pluginName: 'demo', pluginIdx: '10' })), '0a0464656d6f12023130');
});

test('fields of a later version are skipped, fields that a message lacks are ignored', () => {
  assert.deepEqual(decodeHex('ConfigureResponse', '1008 f2ff0f03616263'), { events: 8 });
  assert.deepEqual(
    codec.encode('ConfigureResponse', { events: 8, extra: true } as never),
    codec.encode('ConfigureResponse', { events: 8 }),
  );
});

test('bytes that are no message are refused', () => {
  for (const bytes of ['0aff', '0a05 61', 'ffffffffffffffffffffffff', '0b'])
    assert.throws(() => decodeHex('Container', bytes), { code: 'NRI_MALFORMED_MESSAGE', name: 'CodecError' }, bytes);
});

test('texts are read exactly, whatever stands beside them', () => {
  const texts = [
    '',
    'plain',
    'ünïcödé',
    '\u007f',
    '\u0080',
    '日本語',
    '\u{1f600}',
    '\ufffd',
    'x'.repeat(200),
    'é'.repeat(70_000),
    '\u0000',
  ];
  const blank = codec.decode('Container', new Uint8Array(0));
  for (const one of texts) {
    for (const other of texts) {
      const sent = { ...blank, name: one, args: [other, one, 'last'], annotations: { [`k${other}`]: one, plain: other } };
      assert.deepEqual(codec.decode('Container', codec.encode('Container', sent)), sent);
    }
  }
});

test('a text that is no UTF-8 is refused, one that holds the replacement character is not', () => {
  for (const hex of ['0a0180', '0a02c328', '0a03e282ff', '0a0161 1202c0af']) assert.throws(() => decodeHex('PodSandbox', hex), CodecError);
  assert.equal(decodeHex('PodSandbox', '0a03efbfbd').id, '\ufffd');
});

test('a length that leads beyond its message is refused', () => {
  // Of a string, of a message, of a field within a message whose own length is right, of a map's entry, of numbers in one piece.
  for (const hex of ['0a05 61', '4205 0a00', '4a02 0a05', '2a04 0a06 6162', 'aa0104 1a05 0102', '0aff ffff ff0f'])
    assert.throws(() => decodeHex('Container', hex), CodecError);
});

test('numbers in one piece and one by one are the same list', () => {
  assert.deepEqual(decodeHex('Container', 'aa0107 1a03 010203 1800').user?.additionalGids, [1, 2, 3, 0]);
});

test('a message that stands twice is merged, as the wire has it', () => {
  const twice = (...memory: NonNullable<LinuxResources['memory']>[]) => {
    const bytes = memory.map(each => codec.encode('ContainerUpdate', resources({ memory: each })));
    return codec.decode('ContainerUpdate', Buffer.concat(bytes)).linux?.resources?.memory;
  };
  assert.deepEqual(twice({ limit: 5, swap: 1 }, { swap: 2, useHierarchy: true }), { limit: 5, swap: 2, useHierarchy: true });
  // A zero is an empty message, which says nothing new.
  assert.deepEqual(twice({ limit: 5 }, { limit: 0 }), { limit: 5 });
});

test('a length of 64 bits is refused', () => {
  for (const hex of ['0a8b80808010 636f6e7374727563746f72', '0a80808080808080808001', '4a80808080808080808001'])
    assert.throws(() => decodeHex('Container', hex), CodecError);
});
