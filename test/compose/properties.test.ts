import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { beginCreate, beginUpdate, contribute, finish, validateRejection, viewContainer } from '../../src/compose/index.ts';
import type { Container } from '../../types/index.d.ts';
import { composed, containerWith, script } from './fixture.ts';
import { adjusted, assertNoConflict, normalized } from './model.ts';

/** Few keys and values, so that scripts meet each other and the container. */
const text = fc.constantFrom('1', '2', '3');
const number = fc.constantFrom(0, 1, 2, 2n ** 63n - 1n);
const some = <Value>(keys: string[], value: fc.Arbitrary<Value>) =>
  fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: keys.length, noNullPrototype: true });
const keyed = <Entry extends object>(key: string, keys: string[], entry: fc.Arbitrary<Entry>) =>
  fc.uniqueArray(
    fc.tuple(fc.constantFrom(...keys), entry).map(([name, rest]) => ({ [key]: name, ...rest })),
    { selector: item => `${'remove' in item} ${(item as Record<string, unknown>)[key]}`, maxLength: keys.length },
  );
const record = <Model>(model: { [Key in keyof Model]: fc.Arbitrary<Model[Key]> }) => fc.record(model, { noNullPrototype: true });
const partial = (model: Record<string, fc.Arbitrary<unknown>>) => fc.record(model, { requiredKeys: [], noNullPrototype: true });
const removal = fc.constant({ remove: true });

const resources = partial({
  memory: partial({ limit: number, swap: number }),
  cpu: partial({ quota: number, cpus: fc.constantFrom('', '0', '0-1') }),
  hugepageLimits: keyed('pageSize', ['2MB', '1GB'], record({ limit: number })),
  unified: some(['memory.high', 'memory.low'], text),
  blockioClass: text,
  devices: fc.array(record({ access: fc.constantFrom('r', 'w') }), { maxLength: 2 }),
});

const common = (removable: boolean) => {
  const orNull = (value: fc.Arbitrary<unknown>) => (removable ? fc.option(value) : value);
  const orRemoval = <Entry extends object>(entry: fc.Arbitrary<Entry>) => (removable ? fc.oneof(entry, removal) : entry);
  return {
    annotations: some(['a', 'b', 'constructor'], orNull(text)),
    env: some(['A', 'B', 'C'], orNull(text)),
    mounts: keyed('destination', ['/a', '/b'], orRemoval(record({ source: text }))),
    rlimits: keyed('type', ['RLIMIT_CORE', 'RLIMIT_CPU'], record({ hard: fc.constant(9), soft: fc.constantFrom(0, 1) })),
    cdiDevices: keyed('name', ['v/c=0', 'v/c=1'], fc.constant({})),
    hooks: partial({ prestart: fc.array(record({ path: fc.constantFrom('/1', '/2') }), { maxLength: 2 }) }),
    linux: {
      devices: keyed('path', ['/dev/a', '/dev/b'], orRemoval(record({ type: fc.constant('c'), minor: fc.constantFrom(1, 2) }))),
      namespaces: keyed('type', ['pid', 'ipc'], orRemoval(record({ path: fc.constantFrom('/1', '/2') }))),
      sysctl: some(['s', 't'], orNull(text)),
      netDevices: some(['e0', 'e1'], orNull(record({ name: text }))),
      oomScoreAdj: fc.constantFrom(0, 1),
      ioPriority: record({ class: fc.constantFrom('IOPRIO_CLASS_NONE', 'IOPRIO_CLASS_RT'), priority: fc.constantFrom(0, 1) }),
      rdt: partial({ closId: text, schemata: fc.array(text, { maxLength: 1 }), ...(removable && { remove: fc.boolean() }) }),
      resources,
    },
  };
};

const { linux: adjustLinux, ...adjustRest } = common(true);
const adjust = partial({ ...adjustRest, args: fc.array(text, { minLength: 1, maxLength: 2 }), linux: partial(adjustLinux) });
const result = record({ adjust });

const { linux: containerLinux, hooks, ...containerRest } = common(false);
const container = fc
  .tuple(record(containerRest), partial({ hooks }), partial(containerLinux))
  .map(([rest, more, linux]) => containerWith({ ...rest, ...more, linux } as unknown as Partial<Container>));

const runs = { numRuns: 400 };

test('the generated results are valid', () => {
  fc.assert(
    fc.property(container, result, (base, one) => {
      const { problems } = contribute(beginCreate({ container: base, nriVersion: '0.13.0' }), script(0), one);
      assert.deepEqual(
        problems.filter(problem => problem.effect === 'refused'),
        [],
      );
    }),
    runs,
  );
});

test('the answer never conflicts with itself, and applied to the container it gives the view', () => {
  fc.assert(
    fc.property(container, fc.array(result, { maxLength: 4 }), (base, results) => {
      const before = structuredClone(base);
      const composition = composed(base, results, '0.13.0');
      const { adjust: answer = {} } = finish(composition);
      assertNoConflict(answer);
      assert.deepEqual(plainly(adjusted(base, answer)), plainly(normalized(viewContainer(composition)!)));
      assert.deepEqual(base, before);
    }),
    runs,
  );
});

test('the answer holds no value that the container has', () => {
  fc.assert(
    fc.property(container, fc.array(result, { maxLength: 3 }), (base, results) => {
      const composition = composed(base, results);
      // The view is the container wherever nothing changes, so its own values must come to no claims at all.
      const { annotations, env, mounts, rlimits, cdiDevices, args, hooks: seen } = viewContainer(composition)!;
      const { cgroupsPath: _, ...linux } = viewContainer(composition)!.linux!;
      const again = { adjust: { annotations, env, mounts, rlimits, cdiDevices, args, ...(seen && { hooks: seen }), linux } };
      const before = finish(composition);
      assert.deepEqual(contribute(composition, script(5), again), { problems: [], claims: 0 });
      assert.deepEqual(finish(composition).adjust, before.adjust);
    }),
    runs,
  );
});

test('scripts may be composed in one event or in two: the container comes out the same', () => {
  fc.assert(
    fc.property(container, result, result, result, (base, a, b, c) => {
      const version = '0.13.0';
      const together = viewContainer(composed(base, [a, b, c], version))!;
      const apart = viewContainer(composed(viewContainer(composed(base, [a], version))!, [b, c], version))!;
      assert.deepEqual(plainly(normalized(withoutNetDevices(apart))), plainly(normalized(withoutNetDevices(together))));
    }),
    runs,
  );
});

test('the last script that sets a field has the say', () => {
  fc.assert(
    fc.property(container, result, fc.dictionary(fc.constantFrom('A', 'B'), text), (base, first, env) => {
      const view = viewContainer(composed(base, [first, { adjust: { env } }]))!;
      for (const [name, value] of Object.entries(env)) assert.equal(view.env[name], value);
    }),
    runs,
  );
});

test('the ledger has one entry for each key that took part', () => {
  fc.assert(
    fc.property(container, fc.array(result, { maxLength: 4 }), (base, results) => {
      const { ledger } = finish(composed(base, results));
      const fields = ledger
        .filter(({ outcome }) => outcome === 'set' || outcome === 'removed' || outcome === 'unchanged')
        .map(({ field }) => field);
      assert.equal(new Set(fields).size, fields.length);
    }),
    runs,
  );
});

test('no result throws or reaches a prototype', () => {
  const pollution = Object.getOwnPropertyNames(Object.prototype).length;
  const anything = fc.anything({
    withBigInt: true,
    withNullPrototype: true,
    withSparseArray: true,
    withObjectString: true,
    key: fc.oneof(fc.string(), fc.constantFrom('adjust', 'update', 'linux', 'env', 'mounts', '__proto__', 'constructor')),
  });
  const nested = fc.oneof(
    anything,
    record({ adjust: anything, update: fc.array(record({ containerId: anything, linux: record({ resources: anything }) })) }),
    record({
      adjust: record({ env: anything, mounts: fc.array(anything), linux: record({ resources: anything, rdt: anything }) }),
    }),
  );
  fc.assert(
    fc.property(nested, value => {
      for (const composition of [beginCreate({ container: containerWith(), nriVersion: '' }), beginUpdate({ nriVersion: '' })]) {
        contribute(composition, script(0), value);
        finish(composition);
      }
      validateRejection(value);
      assert.equal(Object.getOwnPropertyNames(Object.prototype).length, pollution);
    }),
    { numRuns: 1000 },
  );
});

/** NRI cannot remove a net device that the container has, only what an earlier script of the same event added. */
function withoutNetDevices(view: Container): Container {
  return { ...view, linux: { ...view.linux!, netDevices: {} } };
}

/** Without what means nothing: absent, empty. */
function plainly(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainly);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, member]) => [key, plainly(member)] as const)
    .filter(
      ([, member]) => member !== undefined && member !== '' && !(typeof member === 'object' && Object.keys(member as object).length === 0),
    );
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
