import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EventView, type PartsRead, viewEvent } from '../../src/sandbox/event-view.ts';
import { layOut } from '../../src/sandbox/layout.ts';
import { decodeSegment } from '../../src/sandbox/values.ts';
import { realisticContainer, realisticPod } from '../../src/testing/index.ts';
import type { Container } from '../../types/index.d.ts';

const pod = realisticPod();
const { env: given, ...wire } = realisticContainer(pod);
const container = { ...wire, env: Object.fromEntries(given.map(entry => entry.split('=', 2))) } as unknown as Container;

function view(input: Record<string, unknown>, compose: 'create' | 'update' | 'none' = 'create'): EventView {
  const laidOut = Object.entries(input).map(([name, value]) => layOut(name, value));
  const layouts = laidOut.map(({ layout }) => layout);
  return viewEvent(
    { compose, layouts },
    laidOut.flatMap(({ texts }) => texts),
    'v0.11.0',
  );
}

/** The property as a script sees it that reads all of it. */
function seen(of: EventView, name: string, likely: PartsRead = new Map()): Record<string, unknown> {
  const opened = of.open(likely);
  const layouts = JSON.parse(opened.layouts) as [string, string[], number[]][];
  const index = layouts.findIndex(([each]) => each === name);
  const [, parts, places] = layouts[index]!;
  const value = decodeSegment(opened.texts[index]!) as Record<string, unknown>;
  for (const [at, part] of parts.entries()) value[part] = decodeSegment(places[at]! > 0 ? opened.texts[places[at]!]! : of.part(index, at));
  return value;
}

const script = { name: 'a.ts', allow: ['mounts'], shadow: false };
const result = (value: unknown) => JSON.stringify({ result: value, updates: [] });

test('an event is seen as it was sent, large members apart and in their place', () => {
  const event = view({ pod, container });
  assert.deepEqual(seen(event, 'pod'), pod);
  assert.deepEqual(seen(event, 'container'), container);
  assert.deepEqual(Object.keys(seen(event, 'container')), Object.keys(container));
});

test('a 64-bit number in a large member crosses exactly', () => {
  const limits = {
    id: 'x',
    linux: { resources: { memory: { limit: 2n ** 63n - 1n } }, cgroupsPath: 'x'.repeat(500) },
    createdAt: 2n ** 62n,
  };
  assert.deepEqual(seen(view({ container: limits }, 'none'), 'container'), limits);
});

test('what a script changes is in the part that the next one reads', () => {
  const event = view({ pod, container });
  event.add(
    script,
    result({ adjust: { env: { ADDED: '1' }, mounts: [{ destination: '/added', source: '/x', type: 'bind', options: [] }] } }),
  );
  const { env, mounts, linux } = seen(event, 'container') as unknown as Container;
  assert.deepEqual(env, { ...container.env, ADDED: '1' });
  assert.deepEqual(mounts.at(-1), { destination: '/added', source: '/x', type: 'bind', options: [] });
  assert.deepEqual(linux, container.linux);
});

test('a member that the container did not have, or a small one, is there for the next script', () => {
  const { hooks: _, ...bare } = { ...container, hooks: undefined, rlimits: [] };
  const event = view({ pod, container: bare });
  event.add({ ...script, allow: ['hooks'] }, result({ adjust: { hooks: { prestart: [{ path: '/hook' }] } } }));
  assert.deepEqual((seen(event, 'container')['hooks'] as { prestart: object[] }).prestart.length, 1);
  event.add(script, result({ adjust: { rlimits: [{ type: 'RLIMIT_CORE', hard: 1, soft: 1 }] } }));
  assert.equal((seen(event, 'container')['rlimits'] as object[]).length, 1);
  assert.equal((seen(event, 'container')['hooks'] as { prestart: object[] }).prestart.length, 1);
});

test('what is refused, not granted or in shadow changes nothing', () => {
  const event = view({ pod, container });
  event.add(script, result({ adjust: { env: { OK: '1' }, nonsense: 1 } }));
  event.add({ ...script, allow: [] }, result({ adjust: { mounts: [{ destination: '/m', source: '/x', type: 'bind', options: [] }] } }));
  event.add({ ...script, shadow: true }, result({ adjust: { env: { SHADOW: '1' } } }));
  event.add(script, '{"result":{"adjust":');
  event.add(script, '{"error":{"message":"x"}}');
  assert.deepEqual(seen(event, 'container'), container);
});

test('several changes to one member are seen in order, however large', () => {
  const event = view({ pod, container });
  for (let n = 0; n < 5; n++) event.add(script, result({ adjust: { env: { LAST: `${n}`, [`E${n}`]: 'x'.repeat(10_000) } } }));
  const { env } = seen(event, 'container') as unknown as Container;
  assert.equal(env['LAST'], '4');
  assert.equal(Object.keys(env).length, Object.keys(container.env).length + 6);
});

test('an update is seen with the resources that earlier scripts asked for', () => {
  const linuxResources = { memory: { limit: 100 } };
  const event = view({ pod, container, linuxResources }, 'update');
  event.add(script, result({ update: [{ containerId: container.id, linux: { resources: { cpu: { shares: 7 } } } }] }));
  assert.deepEqual(seen(event, 'linuxResources'), { memory: { limit: 100 }, cpu: { shares: 7 } });
});

test('a part that does not exist is null', () => {
  const event = view({ pod });
  for (const [property, part] of [
    [0, 99],
    [1, 0],
    [-1, 0],
    [Number.NaN, Number.NaN],
  ] as const)
    assert.equal(event.part(property, part), 'null');
});

test('many results that nobody reads are all in what the last script reads', () => {
  const event = view({ pod, container });
  for (let n = 0; n < 200; n++) event.add(script, result({ adjust: { annotations: { [`key-${n}`]: 'x'.repeat(50) } } }));
  const { annotations, env } = seen(event, 'container') as unknown as Container;
  for (let n = 0; n < 200; n++) assert.equal(annotations[`key-${n}`], 'x'.repeat(50));
  assert.deepEqual(env, container.env);
  event.add(script, result({ adjust: { env: { LATER: '1' } } }));
  assert.equal((seen(event, 'container') as unknown as Container).env['LATER'], '1');
});

test('a record of any number of entries crosses in one piece', () => {
  const owners = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`container-${n}`, { Env: { NAME: 'x'.repeat(300) } }]));
  assert.equal(layOut('owners', owners).texts.length, 1);
  assert.deepEqual(seen(view({ owners }, 'none'), 'owners'), owners);
});

test('results that nobody was likely to read are all there for the one who does', () => {
  const event = view({ pod, container });
  for (let n = 0; n < 300; n++) event.add(script, result({ adjust: { env: { [`N${n}`]: 'x'.repeat(400) } } }), false);
  assert.equal(event.wereRead(new Map()), false);
  const { env } = seen(event, 'container') as unknown as Container;
  assert.equal(Object.keys(env).filter(name => /^N\d+$/.test(name)).length, 300);
  assert.equal(event.wereRead(new Map()), true);
  assert.equal(event.wereRead(new Map()), false);
});

test('parts that a script has read before it is given at once, as changed so far', () => {
  const event = view({ pod, container });
  const read: PartsRead = new Map();
  seen(event, 'container', read);
  assert.equal(event.wereRead(read), true);
  assert.ok(read.get('container')?.has('env'));
  event.add(script, result({ adjust: { env: { LATER: '1' }, annotations: { a: 'b' } } }));
  const { layouts, texts } = event.open(read);
  const [, , places] = JSON.parse(layouts)[1] as [string, string[], number[]];
  assert.ok(places.every(place => place >= 2 && place < texts.length));
  const again = seen(event, 'container', read) as unknown as Container;
  assert.equal(again.env['LATER'], '1');
  assert.equal(again.annotations['a'], 'b');
  // Nothing was asked for, but what may change was read.
  const more: PartsRead = new Map();
  assert.equal(event.wereRead(more), true);
  assert.equal(more.size, 0);
});
