/**
 * N scripts in one host come to what N plugins with one script each come to, by upstream's own merge (NRI 0.8).
 *
 * Scripts' results are made of claims, so that shrinking leaves the fewest that still differ.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { adjustmentKinds, type Claim, type FieldKind, objectOf, resourceKinds } from './support/claims.ts';
import { createCleanup } from './support/cleanup.ts';
import type { ProtoJson, Verdict } from './support/judge.ts';
import { containerWith, richContainer } from './support/node.ts';
import { type Side, type Sides, scriptNames, startSides } from './support/sides.ts';

const runs = { numRuns: 300, seed: 20260801, endOnFailure: false };
const cleanup = createCleanup();
let sides: Sides;

before(async () => {
  sides = await startSides(cleanup.add);
});
after(cleanup.run);

type Owned = Claim & { by: number };

/** Claims of the scripts; `apart` leaves each field and key to one script. */
function claimsOf(kinds: readonly FieldKind[], apart: boolean, removals = true): fc.Arbitrary<Owned[]> {
  const one = fc
    .record({ kind: fc.constantFrom(...kinds), key: fc.nat(2), by: fc.nat(2), variant: fc.nat(2), remove: fc.nat(3) })
    .map(({ kind, key, by, variant, remove }): Owned => {
      const removed = removals && kind.removable === true && remove === 0;
      const value = removed ? null : kind.value(variant * 3 + by);
      return { field: kind.field, by, value, ...(kind.keys && { key: kind.keys[key % kind.keys.length]! }) };
    });
  const place = ({ field, key, by }: Owned) =>
    `${field} ${key ?? ''} ${apart && !kinds.some(kind => kind.field === field && kind.appends) ? '' : by}`;
  return fc.uniqueArray(one, { selector: place, maxLength: 12 });
}

const ofScript = (claims: readonly Owned[], script: number) => claims.filter(claim => claim.by === script);

function adjustResults(claims: readonly Owned[]): unknown[] {
  return scriptNames.map((_, script) => {
    const own = ofScript(claims, script);
    return own.length > 0 ? { adjust: objectOf(own, adjustmentKinds) } : undefined;
  });
}

/** Marks among mounts go before and in order: upstream appends a plugin's after its mounts, in the random order of a map. */
function comparable({ result, seen, error }: Verdict): unknown {
  const adjust = result?.['adjust'] as ProtoJson | undefined;
  const update = result?.['update'] as ProtoJson[] | undefined;
  const mounts = (adjust?.['mounts'] ?? []) as Array<{ destination: string }>;
  const marks = mounts.filter(mount => mount.destination.startsWith('-')).map(mount => mount.destination);
  return {
    adjust: adjust && { ...adjust, mounts: [...marks.sort(), ...mounts.filter(mount => !mount.destination.startsWith('-'))] },
    update: update?.toSorted((one, other) => (String(one['containerId']) < String(other['containerId']) ? -1 : 1)),
    seen: seen && { ...seen, id: '' },
    error,
  };
}

test('creations: the merged adjustment and the container that a later plugin sees are the same', async () => {
  await fc.assert(
    fc.asyncProperty(claimsOf(adjustmentKinds, true), fc.boolean(), async (claims, rich) => {
      const container = rich ? richContainer() : containerWith();
      const [apart, together] = await verdicts(side => side.create(container, adjustResults(claims)));
      await Promise.all(sides.both.map(side => side.forget(container)));
      assert.equal(apart.error, undefined);
      assert.deepEqual(comparable(together), comparable(apart));
    }),
    runs,
  );
});

type Updates = Array<{ target: number; ignoreFailure: boolean; claims: Owned[] }>;

const updates: fc.Arbitrary<Updates> = fc.uniqueArray(
  fc.record({ target: fc.nat(2), ignoreFailure: fc.boolean(), claims: claimsOf(resourceKinds, true) }),
  { selector: update => update.target, maxLength: 3 },
);

function updateResults(given: Updates, ids: readonly string[]): unknown[] {
  return scriptNames.map((_, script) => {
    const update = given.flatMap(({ target, ignoreFailure, claims }) => {
      const own = ofScript(claims, script);
      return own.length > 0 ? [{ containerId: ids[target]!, ...objectOf(own, resourceKinds), ignoreFailure }] : [];
    });
    return update.length > 0 ? { update } : undefined;
  });
}

for (const event of ['create', 'update', 'stop'] as const) {
  test(`updates of containers in ${event} events: the merged updates are the same`, async () => {
    await fc.assert(
      fc.asyncProperty(updates, async given => {
        const [own, ...others] = [containerWith(), richContainer(), containerWith(), containerWith()] as const;
        // What is updated in a creation is another container (fact E1); the last one is not known to anybody.
        const ids = (event === 'create' ? others : [own, others[0]!, others[2]!]).map(({ id }) => id);
        const results = updateResults(given, ids);
        const known = others.slice(0, 2);
        const [apart, together] = await verdicts(async side => {
          for (const container of known) await side.introduce(container);
          const verdict = await ask(side, event, own, results);
          for (const container of [own, ...known]) await side.forget(container);
          return verdict;
        });
        assert.equal(apart.error, undefined);
        assert.deepEqual(comparable(together), comparable(apart));
        if (event === 'update' && given.some(({ target, claims }) => target === 0 && claims.length > 0))
          assert.deepEqual(lastUpdated(together), lastUpdated(apart));
      }),
      { ...runs, numRuns: 100 },
    );
  });
}

test('scripts that contradict each other are accepted as one plugin, and the last one that set a field has its way', async () => {
  await fc.assert(
    fc.asyncProperty(claimsOf(adjustmentKinds, false), fc.boolean(), async (claims, rich) => {
      const container = rich ? richContainer() : containerWith();
      const contradicting = await sides.together.create(container, adjustResults(claims));
      await sides.together.forget(container);
      assert.equal(contradicting.error, undefined);
      // The same by one script that says only what holds in the end, in the order in which it was first said.
      const places = new Map<string, Claim>();
      for (const claim of claims.toSorted((one, other) => one.by - other.by)) {
        const appended = adjustmentKinds.some(kind => kind.field === claim.field && kind.appends);
        const place = `${claim.field} ${claim.key ?? ''}`;
        const earlier = places.get(place);
        places.set(place, appended && earlier ? { ...claim, value: [...(earlier.value as []), ...(claim.value as [])] } : claim);
      }
      const final = await sides.together.create(container, [{ adjust: objectOf([...places.values()], adjustmentKinds) }]);
      await sides.together.forget(container);
      assert.deepEqual(seenByKey(contradicting), seenByKey(final));
    }),
    runs,
  );
});

test('scripts that contradict each other fail the creation as plugins of their own, and the ledger names the same two and the field', async () => {
  let conflicts = 0;
  await fc.assert(
    fc.asyncProperty(claimsOf(adjustmentKinds, false, false), fc.boolean(), async (claims, rich) => {
      const container = rich ? richContainer() : containerWith();
      sides.together.reports.length = 0;
      const [apart, together] = await verdicts(side => side.create(container, adjustResults(claims)));
      await sides.together.settled();
      await Promise.all(sides.both.map(side => side.forget(container)));
      assert.equal(together.error, undefined);
      const ledger = sides.together.reports.find(report => report.handler === 'createContainer')?.ledger ?? [];
      const overridden = ledger.filter(entry => entry.lost.length > 0);
      assert.equal(apart.error !== undefined, overridden.length > 0, apart.error);
      if (apart.error === undefined) return;
      conflicts += 1;
      const said = /^plugins "(.*?)" and "(.*?)" both tried to set (.*)$/.exec(apart.error);
      assert.ok(said, apart.error);
      const [, later, earlier, what] = said;
      const entry = overridden.find(({ field }) => field === fieldOf(what!));
      assert.ok(entry, `${apart.error}: the ledger has ${overridden.map(({ field }) => field).join(', ')}`);
      const parties = [...entry.lost.map(({ script }) => script), entry.script].map(file => file.replace(/\.js$/, ''));
      assert.deepEqual(parties.slice(0, 2), [earlier, later]);
    }),
    runs,
  );
  assert.ok(conflicts > 30, `${conflicts} conflicts`);
});

test("a CDI device that two scripts ask for is one device, where two plugins conflict: plugins do not see each other's", async () => {
  const device = { adjust: { cdiDevices: [{ name: 'vendor.com/class=one' }] } };
  const [apart, together] = await verdicts(side => side.create(containerWith(), [device, device]));
  assert.equal(apart.error, 'plugins "11-b" and "10-a" both tried to set CDI device vendor.com/class=one');
  assert.deepEqual((together.result!['adjust'] as ProtoJson)['CDIDevices'], device.adjust.cdiDevices);
});

/** `env FOO` is `env.FOO` in the ledger, `mount /a` is `mounts[/a]`. */
function fieldOf(what: string): string | undefined {
  for (const { field, keys, listKey, subject } of adjustmentKinds) {
    if (subject === undefined) continue;
    if (!keys && what === subject) return field;
    const key = keys?.find(key => what === `${subject} ${key}`);
    if (key !== undefined) return listKey === undefined ? `${field}.${key}` : `${field}[${key}]`;
  }
  return undefined;
}

async function verdicts(run: (side: Side) => Promise<Verdict>): Promise<[Verdict, Verdict]> {
  return Promise.all([run(sides.apart), run(sides.together)]);
}

function ask(side: Side, event: 'create' | 'update' | 'stop', own: ReturnType<typeof containerWith>, results: unknown[]): Promise<Verdict> {
  if (event === 'create') return side.create(own, results);
  if (event === 'stop') return side.stop(own, results);
  return side.update(own, { memory: { limit: 1 }, cpu: { shares: 2 }, hugepageLimits: [{ pageSize: '2MB', limit: 1 }] }, results);
}

function lastUpdated({ result }: Verdict): unknown {
  return (result?.['update'] as ProtoJson[] | undefined)?.at(-1)?.['containerId'];
}

/** What a later plugin sees, with lists as sets: who says something first decides only the order. */
function seenByKey({ seen }: Verdict): unknown {
  return sorted({ ...seen, hooks: undefined });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted()
      .map(([key, each]) => [key, sorted(each)]),
  );
}
