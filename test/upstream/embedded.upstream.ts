/** The embedded runtime's merge against upstream's: the same answers of two plugins come to the same adjustment, view and conflict. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import {
  type Container,
  type ContainerAdjustment,
  type ContainerUpdate,
  connectPlugin,
  createCodec,
  eventMaskBase,
} from '../../src/nri/index.ts';
import { mergeCreateContainer, mergeRules, mergeStopContainer, mergeUpdateContainer } from '../../src/testing/index.ts';
import { adjustmentKinds, type FieldKind, objectOf, resourceKinds } from './support/claims.ts';
import { createCleanup } from './support/cleanup.ts';
import { type Judge, type ProtoJson, startJudge, type Verdict } from './support/judge.ts';
import { prepareJudge } from './support/judge-program.ts';
import { containerWith, pod, richContainer } from './support/node.ts';

const ids = ['10-A', '20-B'] as const;
const codec = createCodec();
const rules = mergeRules('0.8.0');
const cleanup = createCleanup();
const answers = new Map<string, ContainerAdjustment>();
const updates = new Map<string, ContainerUpdate[]>();
let judge: Judge;

before(async () => {
  judge = await startJudge(cleanup.add, await prepareJudge());
  for (const id of ids) {
    const connection = connectPlugin({
      endpoint: { path: judge.socketPath },
      name: id.slice(3),
      index: id.slice(0, 2),
      codec,
      handlers: {
        configure: () => ({ events: eventMaskBase }),
        synchronize: () => undefined,
        event: name => (name === 'createContainer' ? { adjust: answers.get(id) ?? {} } : { update: updates.get(id) ?? [] }),
      },
    });
    cleanup.add(() => connection.close());
  }
  await judge.plugins(ids.length);
});
after(cleanup.run);

async function upstream(container: Container): Promise<Verdict> {
  return judge.call('createContainer', { pod: pod(), container });
}

/** In upstream's notation. */
async function embedded(container: Container): Promise<Verdict> {
  const merge = mergeCreateContainer({ pod: pod(), container }, rules);
  try {
    for (const id of ids) merge.add({ adjust: structuredClone(answers.get(id) ?? {}) }, id);
  } catch (error) {
    return { error: (error as Error).message };
  }
  const adjust = await judge.print('ContainerAdjustment', merge.result().adjust);
  return { result: { adjust }, seen: await judge.print('Container', merge.request.container) };
}

/** One plugin's answer on the wire, marks and repeated keys among it, which no host of ours would send. */
const answer: fc.Arbitrary<ContainerAdjustment> = fc
  .array(fc.record({ kind: fc.constantFrom(...adjustmentKinds), key: fc.nat(2), number: fc.nat(8), mark: fc.boolean() }), { maxLength: 6 })
  .map(claims => {
    const adjust: Record<string, unknown> = {};
    for (const { kind, key, number, mark } of claims) put(adjust, kind, kind.keys?.[key % kind.keys.length], number, mark);
    return adjust;
  });

function put(root: Record<string, unknown>, kind: FieldKind, key: string | undefined, number: number, mark: boolean): void {
  const path = kind.field.split('.');
  const name = path.pop()!;
  let parent = root;
  for (const step of path) {
    parent[step] ??= {};
    parent = parent[step] as Record<string, unknown>;
  }
  const value = kind.value(number);
  if (key === undefined) {
    parent[name] = value;
    return;
  }
  const marked = mark && kind.removable ? `-${key}` : key;
  if (name === 'env') parent[name] = [...((parent[name] ?? []) as []), { key: marked, value: marked === key ? value : '' }];
  else if (kind.listKey) parent[name] = [...((parent[name] ?? []) as []), { [kind.listKey]: marked, ...(value as object) }];
  else parent[name] = { ...(parent[name] as object), [marked]: marked === key ? value : '' };
}

test('two plugins: the merged adjustment, the container that a third sees, and who conflicts with whom', async () => {
  let conflicts = 0;
  await fc.assert(
    fc.asyncProperty(answer, answer, fc.boolean(), async (one, other, rich) => {
      answers.set('10-A', one).set('20-B', other);
      const container = rich ? richContainer() : containerWith();
      const [expected, actual] = [await upstream(container), await embedded(container)];
      if (expected.error !== undefined) conflicts += 1;
      assert.deepEqual(partiesOf(actual), partiesOf(expected), `${actual.error} / ${expected.error}`);
      if (expected.error !== undefined) return;
      assert.deepEqual(comparable(actual), comparable(expected));
    }),
    { numRuns: 500, seed: 20260801 },
  );
  assert.ok(conflicts > 30, `${conflicts} conflicts`);
});

const update: fc.Arbitrary<ContainerUpdate> = fc
  .record({
    target: fc.constantFrom('own', 'other', 'third'),
    ignoreFailure: fc.boolean(),
    claims: fc.uniqueArray(fc.record({ kind: fc.constantFrom(...resourceKinds), number: fc.nat(8) }), {
      selector: claim => claim.kind.field,
      maxLength: 4,
    }),
  })
  .map(({ target, ignoreFailure, claims }) => {
    const set = claims.map(({ kind, number }) => ({
      field: kind.field,
      value: kind.value(number),
      ...(kind.keys && { key: kind.keys[number % kind.keys.length]! }),
    }));
    return { containerId: target, ...objectOf(set, resourceKinds), ignoreFailure };
  });

for (const event of ['updateContainer', 'stopContainer'] as const) {
  test(`two plugins in ${event}: the merged updates, and who conflicts with whom`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(update, { maxLength: 3 }), fc.array(update, { maxLength: 3 }), async (one, other) => {
        updates.set('10-A', one).set('20-B', other);
        const container = containerWith({ id: 'own' });
        const request = {
          pod: pod(),
          container,
          linuxResources: { memory: { limit: 1 }, hugepageLimits: [{ pageSize: '2MB', limit: 1 }] },
        };
        const expected = await judge.call(event, request);
        const merge = event === 'updateContainer' ? mergeUpdateContainer(request, rules) : mergeStopContainer(rules);
        try {
          for (const id of ids) merge.add({ update: structuredClone(updates.get(id)!) }, id);
        } catch (error) {
          assert.equal((error as Error).message, expected.error);
          return;
        }
        assert.equal(expected.error, undefined);
        assert.deepEqual(expected.result, await judge.print('UpdateContainerResponse', merge.result()));
      }),
      { numRuns: 300, seed: 20260801 },
    );
  });
}

/** Who conflicted; over what is not compared, as upstream goes through maps in random order. */
function partiesOf({ error }: Verdict): unknown {
  return error === undefined ? undefined : (/^plugins "(.*?)" and "(.*?)" both tried to set /.exec(error)?.slice(1) ?? error);
}

/** Upstream appends a plugin's mount marks in the random order of a map. */
function comparable({ result, seen }: Verdict): unknown {
  const adjust = result?.['adjust'] as ProtoJson;
  const mounts = (adjust['mounts'] ?? []) as Array<{ destination: string }>;
  const marks = mounts.filter(({ destination }) => destination.startsWith('-')).map(({ destination }) => destination);
  const others = mounts.filter(({ destination }) => !destination.startsWith('-'));
  return { adjust: { ...adjust, mounts: [...marks.sort(), ...others] }, seen };
}
