import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginCreate, beginUpdate, contribute, finish, type Grant, viewContainer, viewResources } from '../../src/compose/index.ts';
import type { Container } from '../../types/index.d.ts';
import { composed, containerWith, everything, script } from './fixture.ts';

const quota = (value: unknown) => ({ adjust: { linux: { resources: { cpu: { quota: value } } } } });
const limit = (containerId: string, value: unknown, more: object = {}) => ({
  update: [{ containerId, linux: { resources: { memory: { limit: value } } }, ...more }],
});
const others = (...containers: Container[]) => {
  const byId = new Map(containers.map(container => [container.id, container]));
  return (id: string) => byId.get(id);
};

test('the later script wins and the ledger names the loser', () => {
  const { adjust, ledger } = finish(composed(containerWith(), [quota(1000), quota(-1)]));
  assert.deepEqual(adjust, { linux: { resources: { cpu: { quota: -1 } } } });
  assert.deepEqual(ledger, [
    {
      container: 'created',
      field: 'linux.resources.cpu.quota',
      script: '20-b',
      value: -1,
      was: undefined,
      lost: [{ script: '10-a', value: 1000 }],
      outcome: 'set',
    },
  ]);
});

test('scripts that set different fields do not touch each other', () => {
  const first = { adjust: { env: { A: '1' }, annotations: { k: 'v' } } };
  const { adjust } = finish(composed(containerWith(), [first, { adjust: { env: { B: '2' } } }]));
  assert.deepEqual(adjust, {
    env: [
      { key: 'A', value: '1' },
      { key: 'B', value: '2' },
    ],
    annotations: { k: 'v' },
  });
});

test('a value that the container has already is left out', () => {
  const container = containerWith({
    env: { A: '1' },
    mounts: [{ destination: '/m', type: 'bind', source: '/s', options: [] }],
    linux: { resources: { memory: { limit: 2n ** 63n - 1n } } },
  });
  const result = {
    adjust: {
      env: { A: '1' },
      mounts: [{ destination: '/m', type: 'bind', source: '/s' }],
      linux: { resources: { memory: { limit: 2n ** 63n - 1n } } },
    },
  };
  const answer = finish(composed(container, [result]));
  assert.equal(answer.adjust, undefined);
  assert.deepEqual(new Set(answer.ledger.map(entry => entry.outcome)), new Set(['unchanged']));
});

test('a value that is changed and changed back is left out', () => {
  const container = containerWith({ linux: { resources: { cpu: { quota: 5 } } } });
  const { adjust, ledger } = finish(composed(container, [quota(7), quota(5)]));
  assert.equal(adjust, undefined);
  assert.equal(ledger[0]!.outcome, 'unchanged');
  assert.deepEqual(ledger[0]!.lost, [{ script: '10-a', value: 7 }]);
});

test('an optional member that is zero differs from one that is absent', () => {
  const container = containerWith({ linux: { devices: [{ path: '/dev/x', type: 'c', major: 1, minor: 3 }] } });
  const device = { path: '/dev/x', type: 'c', major: 1, minor: 3, uid: 0 };
  assert.deepEqual(finish(composed(container, [{ adjust: { linux: { devices: [device] } } }])).adjust, { linux: { devices: [device] } });
});

test('a field without its grant is dropped, the rest stays, and the message names the line to add', () => {
  const composition = beginCreate({ container: containerWith(), nriVersion: '' });
  const mounts = [
    { destination: '/a', source: '/x' },
    { destination: '/b', source: '/x' },
  ];
  const { problems, claims } = contribute(composition, { script: 'a', allow: new Set<Grant>() }, { adjust: { mounts, env: { A: '1' } } });
  assert.equal(claims, 1);
  assert.deepEqual(problems, [
    {
      code: 'NOT_ALLOWED',
      effect: 'dropped',
      path: 'adjust.mounts',
      message: 'adjust.mounts: dropped; add "allow: [mounts]" to the settings file beside the script',
    },
  ]);
  const { adjust, ledger } = finish(composition);
  assert.deepEqual(adjust, { env: [{ key: 'A', value: '1' }] });
  assert.deepEqual(
    ledger.map(entry => [entry.field, entry.outcome]),
    [
      ['env.A', 'set'],
      ['mounts[/a]', 'refused'],
      ['mounts[/b]', 'refused'],
    ],
  );
});

test('handing back what one saw needs no grant', () => {
  const mounts = [{ destination: '/a', type: '', source: '/x', options: [] }];
  const composition = beginCreate({ container: containerWith({ mounts }), nriVersion: '' });
  const answer = contribute(composition, { script: 'a', allow: new Set<Grant>() }, { adjust: { mounts } });
  assert.deepEqual(answer, { problems: [], claims: 0 });
});

test("a field that is newer than the runtime's NRI is dropped and told", () => {
  const composition = beginCreate({ container: containerWith(), nriVersion: 'v0.10.0' });
  const result = { adjust: { args: ['/x'], linux: { scheduler: { policy: 'SCHED_IDLE' }, memoryPolicy: { mode: 'MPOL_LOCAL' } } } };
  const { problems } = contribute(composition, script(0), result);
  assert.deepEqual(
    problems.map(({ code, path }) => [code, path]),
    [
      ['NRI_TOO_OLD', 'adjust.linux.scheduler'],
      ['NRI_TOO_OLD', 'adjust.linux.memoryPolicy'],
    ],
  );
  assert.match(problems[0]!.message, /needs NRI 0\.11\.0, this runtime has v0\.10\.0/);
  assert.deepEqual(finish(composition).adjust, { args: ['/x'] });
});

test('to a runtime of unknown version everything is sent', () => {
  for (const version of ['', '(devel)', '0.0.0-unknown']) {
    const { adjust } = finish(composed(containerWith(), [{ adjust: { linux: { memoryPolicy: { mode: 'MPOL_LOCAL' } } } }], version));
    assert.deepEqual(adjust, { linux: { memoryPolicy: { mode: 'MPOL_LOCAL' } } });
  }
});

test('what runtimes do not apply is sent and told', () => {
  const composition = beginCreate({ container: containerWith(), nriVersion: '' });
  const { problems } = contribute(composition, script(0), { adjust: { linux: { resources: { memory: { reservation: 1, limit: 0 } } } } });
  assert.deepEqual(
    problems.map(({ code, effect, path }) => [code, effect, path]),
    [
      ['NOT_APPLIED', 'warned', 'adjust.linux.resources.memory.reservation'],
      ['NOT_APPLIED', 'warned', 'adjust.linux.resources.memory.limit'],
    ],
  );
  assert.deepEqual(finish(composition).adjust, { linux: { resources: { memory: { reservation: 1, limit: 0 } } } });
});

test('pids and device rules in an update are told to be ignored', () => {
  const composition = beginUpdate({ nriVersion: '' });
  const resources = { pids: { limit: 5 }, devices: [{ allow: true, type: 'a' }] };
  const { problems } = contribute(composition, script(0), { update: [{ containerId: 'x', linux: { resources } }] });
  assert.deepEqual(
    problems.map(({ code, path }) => [code, path]),
    [
      ['NOT_APPLIED', 'update[0].linux.resources.pids.limit'],
      ['NOT_APPLIED', 'update[0].linux.resources.devices'],
    ],
  );
});

test('a second rlimit of a type that the container has is told to be added, not replaced', () => {
  const container = containerWith({ rlimits: [{ type: 'RLIMIT_CORE', hard: 1, soft: 1 }] });
  const composition = beginCreate({ container, nriVersion: '' });
  const { problems } = contribute(composition, script(0), { adjust: { rlimits: [{ type: 'RLIMIT_CORE', hard: 2, soft: 2 }] } });
  assert.equal(problems[0]!.code, 'RLIMIT_REPEATED');
});

test('an empty value that NRI takes for no change is dropped and told, unless there is none to empty', () => {
  const container = containerWith({ linux: { cgroupsPath: '/old', resources: { cpu: { cpus: '', mems: '' } } } });
  const composition = beginCreate({ container, nriVersion: '' });
  const { problems } = contribute(composition, script(0), {
    adjust: { args: [], linux: { cgroupsPath: '', resources: { cpu: { cpus: '' } } } },
  });
  assert.deepEqual(
    problems.map(({ code, path }) => [code, path]),
    [
      ['NOT_SETTABLE', 'adjust.args'],
      ['NOT_SETTABLE', 'adjust.linux.cgroupsPath'],
    ],
  );
  assert.equal(finish(composition).adjust, undefined);
});

test('a script in shadow is validated and recorded, not applied', () => {
  const container = containerWith();
  const composition = beginCreate({ container, nriVersion: '' });
  assert.equal(contribute(composition, { ...script(0), shadow: true }, quota(-1)).claims, 1);
  assert.equal(contribute(composition, { ...script(0), shadow: true }, quota('x')).problems.length, 1);
  assert.equal(viewContainer(composition), container);
  const { adjust, ledger } = finish(composition);
  assert.equal(adjust, undefined);
  assert.deepEqual(
    ledger.map(({ field, outcome, value }) => [field, outcome, value]),
    [['linux.resources.cpu.quota', 'shadow', -1]],
  );
});

test('hooks and device rules are appended, script after script', () => {
  const rule = (access: string) => ({ allow: true, type: 'c', major: 1, minor: 3, access });
  const result = (name: string, access: string) => ({
    adjust: { hooks: { prestart: [{ path: `/${name}` }] }, linux: { resources: { devices: [rule(access)] } } },
  });
  const container = containerWith({ hooks: { prestart: [{ path: '/first' }] } });
  const composition = composed(container, [result('a', 'r'), result('b', 'w')]);
  const { adjust, ledger } = finish(composition);
  assert.deepEqual(adjust, {
    hooks: { prestart: [{ path: '/a' }, { path: '/b' }] },
    linux: { resources: { devices: [rule('r'), rule('w')] } },
  });
  assert.equal(viewContainer(composition)!.hooks!.prestart!.length, 3);
  assert.deepEqual(
    ledger.map(({ script, outcome }) => `${script} ${outcome}`),
    ['10-a appended', '20-b appended', '10-a appended', '20-b appended'],
  );
});

test('of a list that begins with all that the script saw, only the rest is appended', () => {
  const container = containerWith({ hooks: { prestart: [{ path: '/first' }] } });
  const { adjust } = finish(composed(container, [{ adjust: { hooks: { prestart: [{ path: '/first' }, { path: '/mine' }] } } }]));
  assert.deepEqual(adjust, { hooks: { prestart: [{ path: '/mine' }] } });
});

test('the view shows the changes so far and shares the rest', () => {
  const container = containerWith({
    env: { A: '1', B: '2' },
    mounts: [{ destination: '/m' }],
    linux: { resources: { cpu: { shares: 2 } } },
  });
  const before = structuredClone(container);
  const composition = beginCreate({ container, nriVersion: '' });
  assert.equal(viewContainer(composition), container);
  contribute(composition, script(0), { adjust: { env: { A: 'x', B: null }, ...quota(-1).adjust } });
  const view = viewContainer(composition)!;
  assert.deepEqual(view.env, { A: 'x' });
  assert.deepEqual(view.linux!.resources, { cpu: { shares: 2, quota: -1 } });
  assert.equal(view.mounts, container.mounts);
  assert.equal(viewContainer(composition), view);
  assert.deepEqual(container, before);
});

test('a container that is being created cannot be updated', () => {
  const composition = beginCreate({ container: containerWith(), nriVersion: '' });
  const { problems } = contribute(composition, script(0), limit('created', 1));
  assert.deepEqual(
    problems.map(({ code, effect, path }) => [code, effect, path]),
    [['OWN_CONTAINER', 'refused', 'update[0].containerId']],
  );
});

test('updates of one container become one, and failures are tolerated only if all tolerate them', () => {
  const shares = (ignoreFailure: boolean) => ({
    update: [{ containerId: 'x', ignoreFailure, linux: { resources: { cpu: { shares: 2 } } } }],
  });
  const both = finish(composed(containerWith(), [limit('x', 1, { ignoreFailure: true }), shares(true)]));
  const resources = { memory: { limit: 1 }, cpu: { shares: 2 } };
  assert.deepEqual(both.update, [{ containerId: 'x', linux: { resources }, ignoreFailure: true }]);
  const one = finish(composed(containerWith(), [limit('x', 1, { ignoreFailure: true }), shares(false)]));
  assert.deepEqual(one.update, [{ containerId: 'x', linux: { resources } }]);
});

test('a script in shadow does not decide whether failures are tolerated', () => {
  const composition = beginUpdate({ nriVersion: '' });
  contribute(composition, script(0), limit('x', 1, { ignoreFailure: true }));
  contribute(composition, { ...script(1), shadow: true }, limit('x', 2));
  assert.deepEqual(finish(composition).update, [{ containerId: 'x', linux: { resources: { memory: { limit: 1 } } }, ignoreFailure: true }]);
});

test('an update to what the other container has already is left out', () => {
  const known = others(containerWith({ id: 'x', linux: { resources: { memory: { limit: 5 } } } }));
  assert.deepEqual(finish(composed(containerWith(), [limit('x', 5)], '', known)).update, []);
  assert.equal(finish(composed(containerWith(), [limit('x', 6)], '', known)).update.length, 1);
});

test('an update of an unknown container is sent and told', () => {
  const composition = beginUpdate({ nriVersion: '', known: others() });
  assert.deepEqual(
    contribute(composition, script(0), limit('nope', 1)).problems.map(problem => problem.code),
    ['UNKNOWN_CONTAINER'],
  );
  assert.equal(finish(composition).update.length, 1);
});

test('an update of the updated container is layered on the request and stands last', () => {
  const linuxResources = { cpu: { shares: 99 }, memory: { limit: 5 } };
  const composition = beginUpdate({ containerId: 'own', linuxResources, nriVersion: '' });
  contribute(composition, script(0), limit('own', 7));
  contribute(composition, script(1), limit('other', 9));
  assert.deepEqual(viewResources(composition), { cpu: { shares: 99 }, memory: { limit: 7 } });
  assert.deepEqual(finish(composition).update, [
    { containerId: 'other', linux: { resources: { memory: { limit: 9 } } } },
    { containerId: 'own', linux: { resources: { memory: { limit: 7 } } } },
  ]);
});

test('the resources of the request are what no one changed', () => {
  const linuxResources = { memory: { limit: 5 } };
  const composition = beginUpdate({ containerId: 'own', linuxResources, nriVersion: '' });
  assert.equal(viewResources(composition), linuxResources);
  contribute(composition, script(0), limit('own', 5));
  assert.deepEqual(finish(composition).update, []);
});

test('an event without changes has an empty answer', () => {
  assert.deepEqual(finish(beginUpdate({ nriVersion: '' })), { update: [], ledger: [] });
  assert.deepEqual(finish(composed(containerWith(), [])), { update: [], ledger: [] });
});

test('grants are asked for in updates too', () => {
  const composition = beginUpdate({ nriVersion: '' });
  const result = { update: [{ containerId: 'x', linux: { resources: { devices: [{ type: 'a' }] } } }] };
  const { problems } = contribute(composition, { script: 'a', allow: new Set<Grant>() }, result);
  assert.match(problems[0]!.message, /^update\[0\]\.linux\.resources\.devices: dropped; add "allow: \[deviceRules\]"/);
  assert.equal(contribute(composition, { script: 'b', allow: everything }, result).claims, 1);
});
