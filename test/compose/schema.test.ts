import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import { beginCreate, beginUpdate, contribute, finish } from '../../src/compose/index.ts';
import { fields } from '../../src/compose/schema.ts';
import { createCodec } from '../../src/nri/codec.ts';
import type { CreateContainerResponse } from '../../src/nri/messages.ts';
import { containerWith, everything } from './fixture.ts';

const proto = protobuf.parse(readFileSync(new URL('../../proto/nri.proto', import.meta.url), 'utf8'), { keepCase: true }).root.resolveAll();
const codec = createCodec();

type Extreme = 'least' | 'most';

const ranges: Record<string, [number | bigint, number | bigint]> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0, 2n ** 64n - 1n],
};

/** Values of fields that hold less than their wire type, by the end of their path. */
const narrow: [end: string, least: unknown, most: unknown][] = [
  ['oomScoreAdj', -1000, 1000],
  ['swappiness', 0, 100],
  ['ioPriority.priority', 0, 7],
  ['scheduler.nice', -20, 19],
  ['scheduler.priority', 0, 99],
  ['timeout', 1, 2n ** 63n - 1n],
  ['args[].index', 0, 5],
  ['soft', 0, 2n ** 64n - 1n],
  ['hard', 0, 2n ** 64n - 1n],
  ['mounts[].destination', '/data', '/data'],
  ['env[]', 'A=b', 'A=b'],
  ['path', '/some/path', '/some/path'],
  ['devices[].type', 'c', 'b'],
  ['devices[].access', 'rwm', 'rwm'],
  ['rlimits[].type', 'RLIMIT_NOFILE', 'RLIMIT_CORE'],
  ['cdiDevices[].name', 'vendor.com/class=name', 'vendor.com/class=name'],
  ['namespaces[].type', 'network', 'cgroup'],
  ['netDevices.name', 'eth0', 'eth0'],
  ['cpus', '0', '0-3,8'],
  ['mems', '0', '0-1'],
  ['nodes', '0', '0-1'],
  ['pageSize', '2MB', '1GB'],
  ['defaultAction', 'SCMP_ACT_ERRNO', 'SCMP_ACT_ERRNO'],
  ['action', 'SCMP_ACT_ALLOW', 'SCMP_ACT_ALLOW'],
  ['architectures[]', 'SCMP_ARCH_X86_64', 'SCMP_ARCH_X86_64'],
  ['seccompPolicy.flags[]', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_LOG'],
  ['names[]', 'openat', 'openat'],
  ['op', 'SCMP_CMP_EQ', 'SCMP_CMP_EQ'],
  ['remove', true, true],
];

/** A message with every field that proto/nri.proto gives it, in the author's notation. `leaves` collects the paths. */
function sample(type: protobuf.Type, extreme: Extreme, path: string, leaves: string[]): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    const name = field.name === 'CDI_devices' ? 'cdiDevices' : field.name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const place = path ? `${path}.${name}` : name;
    // An author writes env as a record.
    if (place === 'env') message[name] = { key: sampleValue(new protobuf.Field('value', 1, 'string'), extreme, `${place}.value`, leaves) };
    else if (field.map) message[name] = { key: sampleValue(field, extreme, place, leaves) };
    else if (field.repeated) message[name] = [sampleValue(field, extreme, `${place}[]`, leaves)];
    else message[name] = sampleValue(field, extreme, place, leaves);
  }
  return message;
}

function sampleValue(field: protobuf.Field, extreme: Extreme, place: string, leaves: string[]): unknown {
  const resolved = field.resolvedType;
  if (resolved instanceof protobuf.Type && resolved.name.startsWith('Optional')) {
    const inner = resolved.fields['value']!;
    return inner.repeated ? [sampleValue(inner, extreme, `${place}[]`, leaves)] : sampleValue(inner, extreme, place, leaves);
  }
  if (resolved instanceof protobuf.Type) return sample(resolved, extreme, place, leaves);
  leaves.push(place);
  const known = narrow.find(([end]) => place === end || place.endsWith(`.${end}`));
  if (known) return extreme === 'least' ? known[1] : known[2];
  if (resolved instanceof protobuf.Enum) {
    const names = Object.keys(resolved.values);
    return extreme === 'least' ? names[0] : names[names.length - 1];
  }
  if (field.type === 'bool') return extreme === 'most';
  if (field.type === 'string') return extreme === 'least' ? 'x' : 'naïve ☃'.slice(0, 3);
  return ranges[field.type]![extreme === 'least' ? 0 : 1];
}

function sampleOf(message: string, extreme: Extreme) {
  const leaves: string[] = [];
  return { value: sample(proto.lookupType(`nri.pkg.api.v1alpha1.${message}`), extreme, '', leaves), leaves };
}

/** Over the wire and back. */
function delivered(response: CreateContainerResponse): CreateContainerResponse {
  return codec.decode('CreateContainerResponse', codec.encode('CreateContainerResponse', response));
}

const start = () => beginCreate({ container: containerWith({ linux: { rdt: { closId: 'old' } } }), nriVersion: '' });

for (const extreme of ['least', 'most'] as const) {
  test(`every field of NRI's ContainerAdjustment reaches the runtime unchanged, at its ${extreme}`, () => {
    const { value, leaves } = sampleOf('ContainerAdjustment', extreme);
    assert.ok(leaves.length > 80, `${leaves.length}`);
    const composition = start();
    const { problems } = contribute(composition, { script: 'a', allow: everything }, { adjust: value });
    assert.deepEqual(
      problems.filter(problem => problem.effect !== 'warned'),
      [],
    );
    const { adjust } = finish(composition);
    const { env, ...rest } = value as { env: { key: string } };
    assert.deepEqual(delivered({ adjust: adjust! }).adjust, { ...rest, env: [{ key: 'key', value: env.key }] });
  });

  test(`every field of NRI's LinuxResources reaches the runtime unchanged in an update, at its ${extreme}`, () => {
    const { value, leaves } = sampleOf('ContainerUpdate', extreme);
    assert.ok(leaves.length > 25, `${leaves.length}`);
    const composition = beginUpdate({ nriVersion: '' });
    const { problems } = contribute(composition, { script: 'a', allow: everything }, { update: [value] });
    assert.deepEqual(
      problems.filter(problem => problem.effect !== 'warned'),
      [],
    );
    const { update } = finish(composition);
    assert.deepEqual(delivered({ update }).update, [value]);
  });
}

test('every field of the table can be claimed alone', () => {
  const { value } = sampleOf('ContainerAdjustment', 'most');
  for (const field of fields) {
    const adjust = only(value, field.path);
    const composition = start();
    const { problems, claims } = contribute(composition, { script: 'a', allow: everything }, { adjust });
    assert.deepEqual(
      problems.filter(problem => problem.effect !== 'warned'),
      [],
      field.name,
    );
    assert.equal(claims, 1, field.name);
    const answer = finish(composition);
    const expected = field.name === 'env' ? { env: [{ key: 'key', value: (adjust as { env: { key: string } }).env.key }] } : adjust;
    assert.deepEqual(answer.adjust, expected, field.name);
  }
});

test('the table has no field twice', () => {
  assert.equal(new Set(fields.map(field => field.name)).size, fields.length);
});

function only(value: unknown, path: readonly string[]): unknown {
  const [step, ...rest] = path;
  return step === undefined ? value : { [step]: only((value as Record<string, unknown>)[step], rest) };
}
