/**
 * What scripts return: anything that JSON can say and a few things that it cannot, in the shape of results often enough to get deep. Nothing
 * may throw, and what comes out must be a message that arrives as it was sent.
 */
import assert from 'node:assert/strict';
import {
  beginCreate,
  beginUpdate,
  type Composition,
  contribute,
  finish,
  formatLedgerEntry,
  grants,
  validateRejection,
  viewContainer,
  viewResources,
} from '../../src/compose/index.ts';
import { adjustTree, type Field, type Node, updateTree } from '../../src/compose/schema.ts';
import type { TextType, ValueType } from '../../src/compose/value-types.ts';
import { type Codec, type CreateContainerResponse, createCodec } from '../../src/nri/index.ts';
import { decodeResult, decodeSegment, encodeSegment, oddityKey } from '../../src/sandbox/values.ts';
import type { Container } from '../../types/index.d.ts';
import { containerWith } from '../compose/fixture.ts';
import { assertNoConflict } from '../compose/model.ts';
import { FuzzFailure, pollutedPrototype, shrink, type Target } from './failure.ts';
import { createRandom, type Random } from './random.ts';

/** Results of the scripts of one event, as the texts in which they come from the sandbox. */
export type Results = {
  event: 'create' | 'update';
  nriVersion: string;
  scripts: Array<{ text: string; allow: string[]; shadow: boolean }>;
};

const answerBytesMax = 4 << 20;
/** Far above what any case takes, for machines that are busy. */
const millisMax = 2000;

export function resultsTarget(codec: Codec = createCodec()): Target {
  return {
    name: 'results',
    unit: 'results',
    async run(seed) {
      const results = planResults(createRandom(seed));
      const wrong = composesSoundly(codec, results);
      if (wrong === undefined) return results.scripts.length;
      const fails = (scripts: Results['scripts']) => composesSoundly(codec, { ...results, scripts }) !== undefined;
      throw new FuzzFailure(wrong, JSON.stringify({ ...results, scripts: await shrink(results.scripts, fails) }));
    },
  };
}

/** What is wrong with how results are composed; undefined for nothing. */
export function composesSoundly(codec: Codec, { event, nriVersion, scripts }: Results): string | undefined {
  const started = performance.now();
  try {
    const known = (id: string) => (id === 'other' ? base : undefined);
    const composition: Composition =
      event === 'create'
        ? beginCreate({ container: base, nriVersion, known })
        : beginUpdate({ containerId: 'created', linuxResources: { cpu: { shares: 1 } }, nriVersion, known });
    for (const [index, { text, allow, shadow }] of scripts.entries()) {
      const { result } = decodeResult(text);
      const from = { script: `${index}.js`, allow: new Set(allow) as Parameters<typeof contribute>[1]['allow'], shadow };
      const { problems } = contribute(composition, from, result);
      for (const problem of problems) assert.equal(typeof problem.message, 'string');
      validateRejection(result);
      const view = viewContainer(composition) ?? viewResources(composition) ?? null;
      assert.deepEqual(decodeSegment(encodeSegment(view)), view);
    }
    const { adjust, update, ledger } = finish(composition);
    for (const entry of ledger) formatLedgerEntry(entry);
    if (adjust) assertNoConflict(adjust);
    for (const one of update) assertNoConflict((one.linux ? { linux: { resources: one.linux.resources } } : {}) as never);
    assert.equal(new Set(update.map(({ containerId }) => containerId)).size, update.length, 'a container is updated twice');
    const answer = { ...(adjust && { adjust }), update } as CreateContainerResponse;
    const bytes = codec.encode('CreateContainerResponse', answer);
    assert.ok(bytes.length < answerBytesMax, `an answer of ${bytes.length} bytes`);
    const read = codec.decode('CreateContainerResponse', bytes);
    assertHolds(read, answer, 'answer');
    assert.deepEqual(codec.encode('CreateContainerResponse', read), bytes);
  } catch (error) {
    return error instanceof Error ? `${error.stack}` : String(error);
  }
  const polluted = pollutedPrototype();
  if (polluted) return `${polluted}.prototype was changed`;
  const millis = performance.now() - started;
  return millis > millisMax ? `it took ${Math.round(millis)} ms` : undefined;
}

const base: Container = Object.freeze(
  containerWith({
    env: { PATH: '/bin', A: '1' },
    annotations: { a: '1', '': '' },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc', options: [] }],
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: 2n ** 64n - 1n, soft: 1024 }],
    linux: {
      sysctl: { 'net.ipv4.ip_forward': '1' },
      devices: [{ path: '/dev/null', type: 'c', major: 1, minor: 3 }],
      namespaces: [{ type: 'pid', path: '' }],
      resources: { memory: { limit: 2n ** 63n - 1n }, cpu: { shares: 2 }, unified: { 'memory.high': 'max' } },
    },
  }),
);

/** All that was sent is what was read; what was not sent may be read as its default. */
function assertHolds(read: unknown, sent: unknown, at: string): void {
  if (sent === undefined) return;
  if (typeof sent !== 'object' || sent === null) {
    if (typeof sent === 'bigint' || typeof read === 'bigint') assert.equal(BigInt(read as number), BigInt(sent as number), at);
    else assert.equal(read, sent, at);
    return;
  }
  // A message without content arrives as none where that means the same.
  if (read === undefined) {
    assert.deepEqual(
      Object.values(sent).filter(value => value !== undefined),
      [],
      at,
    );
    return;
  }
  if (Array.isArray(sent)) assert.equal((read as unknown[]).length, sent.length, at);
  for (const key of Object.keys(sent)) {
    const [inside, value] = [own(read, key), own(sent, key)];
    assertHolds(inside, value, `${at}.${key}`);
  }
}

const own = (record: unknown, key: string): unknown =>
  Object.hasOwn(record as object, key) ? (record as Record<string, unknown>)[key] : undefined;

const versions = ['', '0.3.0', '0.6.1', '0.8.0', '0.10.0', '0.11.0', '0.12.0', '9999.0.0', '__proto__'];

export function planResults(random: Random): Results {
  const event = random.chance(0.8) ? 'create' : 'update';
  const scripts = Array.from({ length: 1 + random.below(4) }, () => ({
    text: `{"result":${randomText(random, event)}}`,
    allow: random.chance(0.7) ? [...grants] : grants.filter(() => random.chance(0.5)),
    shadow: random.chance(0.1),
  }));
  return { event, nriVersion: random.pick(versions), scripts };
}

function randomText(random: Random, event: Results['event']): string {
  return JSON.stringify(random.chance(0.05) ? anything(random, 0) : randomResult(random, event));
}

type Json = unknown;

function randomResult(random: Random, event: Results['event']): Json {
  const result: Record<string, Json> = {};
  if (event === 'create' && random.chance(0.95)) result['adjust'] = fromNode(random, adjustTree, 0);
  if (random.chance(0.4)) {
    result['update'] = Array.from({ length: random.below(4) }, () => ({
      containerId: random.pick(['other', 'created', 'x', '', anything(random, 2)]),
      linux: fromNode(random, updateTree, 0),
      ...(random.chance(0.3) && { ignoreFailure: random.chance(0.9) || anything(random, 2) }),
    }));
  }
  if (random.chance(0.03)) put(result, anyKey(random), anything(random, 1));
  return result;
}

/** How often a part is not what it should be. */
const wrongShare = 0.012;

function fromNode(random: Random, node: Node, depth: number): Json {
  if (random.chance(wrongShare)) return anything(random, depth);
  const made: Record<string, Json> = {};
  const names = [...node.keys()];
  for (let count = random.below(depth === 0 ? 6 : 4); count > 0; count--) {
    const name = random.pick(names);
    const below = node.get(name)!;
    made[name] = below instanceof Map ? fromNode(random, below, depth + 1) : fromField(random, below);
  }
  if (depth === 0 && random.chance(0.7)) {
    const [name, below] = random.pick([...node]);
    if (below instanceof Map) made[name] = fromNode(random, below, 1);
  }
  if (random.chance(wrongShare / 2)) put(made, anyKey(random), anything(random, 2));
  return made;
}

function fromField(random: Random, field: Field): Json {
  if (random.chance(wrongShare)) return anything(random, 2);
  switch (field.form) {
    case 'value':
      return fromType(random, field.type);
    case 'append':
      return fromType(random, field.type);
    case 'clear':
      return random.chance(0.5);
    case 'record': {
      const made: Record<string, Json> = {};
      for (let count = random.below(4); count > 0; count--) {
        const value = random.chance(0.2) ? null : fromType(random, field.type);
        put(made, textOf(random, field.key), value);
      }
      return made;
    }
    default:
      return Array.from({ length: random.below(4) }, () => {
        const entry = fromType(random, field.type);
        return random.chance(0.15) && typeof entry === 'object' && entry !== null
          ? { [field.key]: (entry as Record<string, Json>)[field.key], remove: true }
          : entry;
      });
  }
}

function fromType(random: Random, type: ValueType): Json {
  if (random.chance(wrongShare)) return anything(random, 2);
  switch (type.kind) {
    case 'integer': {
      const value = random.chance(0.5)
        ? BigInt(random.below(100))
        : random.pick([type.min, type.max, type.min - 1n, type.max + 1n, 0n, 1n]);
      return fromBigint(value);
    }
    case 'text':
      return textOf(random, type);
    case 'name':
      return random.pick(type.names);
    case 'boolean':
      return random.chance(0.5);
    case 'list':
      return Array.from({ length: random.below(3) }, () => fromType(random, type.of));
    default: {
      const made: Record<string, Json> = {};
      for (const [name, member] of Object.entries(type.members)) {
        if (member.presence === 'required' ? !random.chance(wrongShare) : random.chance(0.5)) made[name] = fromType(random, member.type);
      }
      return made;
    }
  }
}

/** As the prelude writes it. */
function fromBigint(value: bigint): Json {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : { [oddityKey]: `${value}n` };
}

const texts = [
  '',
  '-',
  '-A',
  'A',
  'B',
  'a',
  '__proto__',
  'constructor',
  'toString',
  '0',
  '10',
  '-1',
  '/a',
  '/b',
  '-/a',
  '/dev/null',
  '/dev/../etc',
  'vendor.com/class=name',
  'A=1',
  'net.ipv4.ip_forward',
  'kernel.shm_rmid_forced',
  'eth0',
  '0-3',
  '0,2',
  'memory.high',
  'max',
  '2MB',
  '1GB',
  'rw',
  'm',
  'host',
  'pid',
  'é😀',
  '\ud800',
  '\udc00x',
  'a\u0000b',
  '\n',
  '\u001b[31m',
  oddityKey,
  'x'.repeat(5000),
  '/'.padEnd(4095, 'y'),
];

const fitting = new Map<TextType, string[]>();

function textOf(random: Random, type: TextType): string {
  let fit = fitting.get(type);
  if (!fit) {
    fit = texts.filter(each => each.length <= type.max && (!type.pattern || type.pattern.test(each)));
    fitting.set(type, fit);
  }
  return fit.length === 0 || random.chance(wrongShare) ? random.pick(texts) : random.pick(fit);
}

const keys = [
  'adjust',
  'update',
  'linux',
  'resources',
  'env',
  'cpu',
  'remove',
  'value',
  'key',
  'containerId',
  'then',
  'toJSON',
  'length',
  '__proto__',
  'constructor',
  oddityKey,
];

function anyKey(random: Random): string {
  return random.chance(0.7) ? random.pick(keys) : random.pick(texts);
}

/** Any JSON, and the marks of what JSON cannot say. */
export function anything(random: Random, depth: number): Json {
  switch (random.below(depth > 4 ? 8 : 11)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return random.pick([0, -0, 1, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e308]);
    case 3:
    case 4:
      return random.pick(texts);
    case 5:
      return {
        [oddityKey]: random.pick([
          'NaN',
          'Infinity',
          '-Infinity',
          '5n',
          '-9223372036854775809n',
          'function',
          'symbol',
          '',
          '1e9n',
          null,
          {},
        ]),
      };
    case 6:
      return {};
    case 7:
      return [];
    case 8:
      return Array.from({ length: random.below(6) }, () => anything(random, depth + 1));
    case 9: {
      let nested: Json = 1;
      for (let level = random.below(100); level > 0; level--) nested = random.chance(0.5) ? [nested] : { a: nested };
      return nested;
    }
    default: {
      const made: Record<string, Json> = {};
      for (let count = random.below(5); count > 0; count--) put(made, anyKey(random), anything(random, depth + 1));
      return made;
    }
  }
}

function put(record: object, key: string, value: unknown): void {
  Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}
