import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicNow } from '../../src/sandbox/index.ts';
import { eventually } from '../support/eventually.ts';
import { sandboxBench } from '../support/sandbox.ts';

const returning = (expression: string) => `exports.default = { createContainer(event, nri) { return ${expression}; } };`;

test('a script gets the event and gives its result', async t => {
  const bench = sandboxBench(t);
  await bench.load('a', returning('{ hello: event.pod.name }'));
  const [run] = await bench.run(['a'], { input: { pod: { name: 'web' } } });
  assert.deepEqual(run?.outcome === 'ok' && run.result, { hello: 'web' });
});

test('an async handler gives what its promise settles to', async t => {
  const bench = sandboxBench(t);
  await bench.load('a', 'exports.default = { async createContainer() { await null; await null; return 7; } };');
  const [run] = await bench.run(['a']);
  assert.equal(run?.outcome === 'ok' && run.result, 7);
});

test('64-bit integers cross exactly in both directions', async t => {
  const bench = sandboxBench(t);
  await bench.load('a', returning('{ same: event.limits, more: event.limits.hard - 1n }'));
  const limits = { hard: 18446744073709551615n, soft: -9223372036854775808n, small: 5 };
  const [run] = await bench.run(['a'], { input: { limits } });
  assert.deepEqual(run?.outcome === 'ok' && run.result, { same: limits, more: 18446744073709551614n });
});

test('values that JSON cannot say arrive as what they were', async t => {
  const bench = sandboxBench(t);
  await bench.load('a', returning('{ f() {}, nan: NaN, inf: -Infinity, s: Symbol("x"), u: undefined }'));
  const [run] = await bench.run(['a']);
  const result = (run?.outcome === 'ok' && run.result) as Record<string, unknown>;
  assert.equal(String(result['f']), 'Symbol(function)');
  assert.equal(String(result['s']), 'Symbol(symbol)');
  assert.ok(Number.isNaN(result['nan']));
  assert.equal(result['inf'], -Infinity);
  assert.ok(!('u' in result));
});

test('every event gets a fresh context', async t => {
  const bench = sandboxBench(t);
  await bench.load(
    'a',
    'let n = 0; exports.default = { createContainer() { globalThis.m = (globalThis.m ?? 0) + 1; return [++n, globalThis.m]; } };',
  );
  for (let i = 0; i < 3; i++) {
    const [run] = await bench.run(['a']);
    assert.deepEqual(run?.outcome === 'ok' && run.result, [1, 1]);
  }
});

test('a script that throws says why and where, and the others run', async t => {
  const bench = sandboxBench(t);
  await bench.load('bad', 'exports.default = { createContainer() { null.x } };');
  await bench.load('good', returning('1'));
  const [bad, good] = await bench.run(['bad', 'good']);
  assert.equal(bad?.outcome, 'error');
  assert.match(bad.error.message, /Cannot read properties of null/);
  assert.match(bad.error.stack, /bad:1:\d+/);
  assert.equal(good?.outcome, 'ok');
});

for (const [kind, source] of Object.entries({
  'a loop': 'exports.default = { createContainer() { for (;;); } };',
  'a loop of microtasks': 'exports.default = { async createContainer() { for (;;) await null; } };',
  'a loop in a getter of the result': returning('{ get x() { for (;;); } }'),
  'a loop in toJSON': returning('{ toJSON() { for (;;); } }'),
})) {
  test(`${kind} is stopped by the script's timeout, and the others run`, async t => {
    const bench = sandboxBench(t);
    await bench.load('bad', source);
    await bench.load('good', returning('1'));
    const runs = await bench.run(['bad', 'good']);
    assert.deepEqual(
      runs.map(run => run.outcome),
      ['timeout', 'ok'],
    );
    assert.equal((await bench.run(['bad', 'good'])).at(1)?.outcome, 'ok');
  });
}

test('a builtin that no timeout stops costs the process, and the others run in the next one', async t => {
  const bench = sandboxBench(t);
  await bench.load('before', returning('1'));
  await bench.load('bad', 'exports.default = { createContainer() { const a = []; a[4294967294] = 1; a.sort(); } };');
  await bench.load('after', returning('2'));
  const runs = await bench.run(['before', 'bad', 'after']);
  assert.deepEqual(
    runs.map(run => run.outcome),
    ['ok', 'killed', 'ok'],
  );
  assert.equal(bench.ended.length, 1);
});

test('a process that is stopped from outside is replaced, and the event is over by its deadline', async t => {
  const bench = sandboxBench(t);
  await bench.load('a', returning('1'));
  await bench.sandbox.idle();
  const { pid } = bench.sandbox.state();
  process.kill(pid!, 'SIGSTOP');
  const deadline = monotonicNow() + 3000;
  const [run] = await bench.run(['a'], { deadline });
  assert.equal(run?.outcome, 'killed');
  assert.ok(monotonicNow() < deadline + 500);
  const [next] = await bench.run(['a']);
  assert.equal(next?.outcome, 'ok');
});

test('a script that eats memory is stopped, and the others run', async t => {
  const bench = sandboxBench(t);
  await bench.load('bad', 'exports.default = { createContainer() { const a = []; for (;;) a.push({ a: [1, 2, 3] }); } };', {
    memory: 16 << 20,
  });
  await bench.load('good', returning('1'));
  const [bad, good] = await bench.run(['bad', 'good']);
  assert.notEqual(bad?.outcome, 'ok');
  assert.equal(good?.outcome, 'ok');
});

test('memory that V8 does not count ends the process at its ceiling, and the script is told both figures', async t => {
  const bench = sandboxBench(t, undefined, { ceiling: { base: 160 << 20, perScript: 0 } });
  const source = 'exports.default = { createContainer() { new Array(1e9).fill(0); } };';
  await bench.load('bad', source, { timeout: 3000, memory: 64 << 20 });
  await bench.load('good', returning('1'));
  const [bad, good] = await bench.run(['bad', 'good']);
  assert.equal(bad?.outcome, 'memory');
  assert.equal(bad.costProcess, 'ended');
  const [, had, most] = /it occupied (\d+) MiB, at most (\d+) MiB/.exec(bad.error.message) ?? [];
  assert.equal(most, '160');
  assert.ok(Number(had) < 160 + 300, `${had} MiB`);
  assert.equal(good?.outcome, 'ok');
});

test('a top level that eats memory fails to load, and the process is replaced', async t => {
  const bench = sandboxBench(t, undefined, { ceiling: { base: 160 << 20, perScript: 0 } });
  const source = 'new Array(1e9).fill(0);';
  const result = await bench.load('bad', source, { timeout: 3000 });
  assert.equal('outcome' in result && result.outcome, 'memory');
  assert.ok('handlers' in (await bench.load('good', returning('1'))));
});

test('a promise that nothing settles is told from a timeout', async t => {
  const bench = sandboxBench(t);
  await bench.load('a', returning('new Promise(() => {})'));
  const [run] = await bench.run(['a']);
  assert.equal(run?.outcome, 'pending');
});

test('log lines arrive with the script, even of one that then hangs', async t => {
  const bench = sandboxBench(t);
  await bench.load(
    'a',
    'exports.default = { createContainer(e, nri) { nri.log.warn("here", { n: 1n }); console.log("there", 2); for (;;); } };',
  );
  await bench.run(['a']);
  assert.deepEqual(
    bench.logs.map(line => [line.id, line.level, JSON.parse(line.text).message]),
    [
      ['a', 'warn', 'here'],
      ['a', 'info', 'there 2'],
    ],
  );
});

test('a flood of log lines is cut and counted', async t => {
  const bench = sandboxBench(t);
  await bench.load('a', 'exports.default = { createContainer(e, nri) { for (let i = 0; i < 250; i++) nri.log.info("x"); } };');
  await bench.run(['a']);
  assert.equal(bench.logs.filter(line => line.dropped === 0).length, 100);
  assert.deepEqual(
    bench.logs.filter(line => line.dropped > 0).map(line => line.dropped),
    [150],
  );
});

test('long log lines are cut, and what is too much in all is counted', async t => {
  const bench = sandboxBench(t);
  await bench.load('a', 'exports.default = { createContainer(e, nri) { for (let i = 0; i < 50; i++) nri.log.info("x".repeat(1e5)); } };');
  await bench.run(['a']);
  const taken = bench.logs.filter(line => line.dropped === 0);
  assert.ok(taken.reduce((sum, line) => sum + line.text.length, 0) <= 320 << 10);
  assert.equal(bench.logs.at(-1)?.dropped, 50 - taken.length);
});

test('a script that changes the builtins gets its own errors, and no other handlers than it has', async t => {
  const bench = sandboxBench(t, () => '{}');
  const source = `
    for (const prototype of [String.prototype, Array.prototype, Function.prototype, Map.prototype])
      for (const name of Object.getOwnPropertyNames(prototype))
        try { prototype[name] = () => { throw new Error('changed'); }; } catch {}
    Object.prototype.get = 1; Object.prototype.toJSON = () => 'forged'; JSON.stringify = JSON.parse = () => 'forged'; Reflect.apply = null;
    exports.default = { createContainer(event, nri) {
      nri.state.set('k', 1);
      nri.update({ containerId: 'x', __proto__: null });
      nri.log.info('line');
      return { __proto__: null, n: event.pod.name, k: nri.state.get('k') };
    } };`;
  const loaded = await bench.load('a', source);
  assert.ok('handlers' in loaded, JSON.stringify(loaded));
  assert.deepEqual(loaded.handlers, ['createContainer']);
  const [run] = await bench.run(['a']);
  assert.deepEqual(run?.outcome === 'ok' ? run.result : run, { n: 'p', k: 1 });
});

test('an error at the top level that is made to hang is stopped by the timeout', async t => {
  const bench = sandboxBench(t);
  const result = await bench.load('a', 'throw { get message() { for (;;); } };');
  assert.equal('outcome' in result && result.outcome, 'timeout');
  assert.equal(bench.ended.length, 0);
});

test('look-ups are answered by the host while the script runs', async t => {
  const bench = sandboxBench(t, (kind, argument) => (kind === 'container' ? `{"id":"${argument}"}` : 'null'));
  await bench.load('a', returning('[nri.container("c1"), nri.pod("nope")]'));
  const [run] = await bench.run(['a']);
  assert.deepEqual(run?.outcome === 'ok' && run.result, [{ id: 'c1' }, null]);
});

test('unsolicited updates come beside the result', async t => {
  const bench = sandboxBench(t);
  await bench.load(
    'a',
    'exports.default = { createContainer(e, nri) { nri.update({ containerId: "x" }); nri.update([{ containerId: "y" }]); } };',
  );
  const [run] = await bench.run(['a']);
  assert.deepEqual(run?.outcome === 'ok' && run.updates, [{ containerId: 'x' }, { containerId: 'y' }]);
});

test('a result that is too large is refused', async t => {
  const bench = sandboxBench(t);
  await bench.load('a', returning('"x".repeat(2 << 20)'));
  const [run] = await bench.run(['a']);
  assert.equal(run?.outcome, 'error');
  assert.match(run.error.message, /at most 1048576/);
});

test('loading refuses what is no script, with the reason', async t => {
  const bench = sandboxBench(t);
  const reason = async (source: string) => {
    const result = await bench.load('a', source);
    return 'error' in result ? result.error.message : 'loaded';
  };
  assert.match(await reason(''), /no default export with handlers/);
  assert.match(await reason('exports.default = {};'), /has no handler/);
  assert.match(await reason('exports.default = { createContainr() {} };'), /createContainr is not a handler/);
  assert.match(await reason('throw new Error("at the top")'), /at the top/);
  assert.match(await reason('for (;;);'), /timed out/);
});

test('a later script sees the container as earlier ones changed it', async t => {
  const bench = sandboxBench(t);
  const container = { id: 'c', env: { A: '1' }, annotations: {}, args: [], mounts: [], rlimits: [], cdiDevices: [], labels: {} };
  await bench.load('a', returning('{ adjust: { env: { B: "2" } } }'));
  await bench.load('b', returning('event.container.env'));
  const runs = await bench.run(['a', 'b'], { compose: 'create', input: { pod: {}, container } });
  assert.deepEqual(runs[1]?.outcome === 'ok' && runs[1].result, { A: '1', B: '2' });
});

test('what a script keeps comes with its result, and what it reads is what the host has', async t => {
  const bench = sandboxBench(t, kind => (kind === 'state' ? '{"n":1,"old":true}' : 'null'));
  await bench.load(
    'a',
    'exports.default = { createContainer(e, { state }) { state.set("n", state.get("n") + 1); state.delete("old"); return state.keys(); } };',
  );
  const [run] = await bench.run(['a']);
  assert.deepEqual(run?.outcome === 'ok' && [run.result, run.state], [['n'], { n: 2, old: null }]);
});

test('a script that wants to keep too much is told so', async t => {
  const bench = sandboxBench(t, () => '{}');
  await bench.load('a', 'exports.default = { createContainer(e, { state }) { state.set("n", "x".repeat(70000)); } };');
  const [run] = await bench.run(['a']);
  assert.equal(run?.outcome, 'error');
  assert.match(run.error.message, /at most 65536/);
});

test('scripts that hang leave time for the last of many', async t => {
  const bench = sandboxBench(t);
  const hanging = Array.from({ length: 3 }, (_, index) => `hang${index}`);
  for (const name of hanging) await bench.load(name, 'exports.default = { createContainer() { for (;;); } };', { timeout: 1000 });
  await bench.load('last', returning('1'));
  const runs = await bench.run([...hanging, 'last'], { deadline: monotonicNow() + 1200 });
  assert.equal(runs.at(-1)?.outcome, 'ok');
});

test('a script that is not loaded is told so, and the others run in order', async t => {
  const bench = sandboxBench(t);
  for (const name of ['a', 'b', 'c']) await bench.load(name, returning('1'));
  bench.sandbox.unload('b');
  const runs = await bench.run(['a', 'b', 'c']);
  assert.deepEqual(
    runs.map(({ id, outcome }) => `${id} ${outcome}`),
    ['b error', 'a ok', 'c ok'],
  );
});

test('a process that is killed from outside while it gets ready again costs no script', async t => {
  const bench = sandboxBench(t);
  const names = ['a', 'b', 'c'];
  for (const name of names) await bench.load(name, returning('1'));
  for (let round = 0; round < 2; round++) {
    const { pid } = await eventually(
      () => bench.sandbox.state(),
      state => state.pid !== undefined && state.starts === round + 1,
    );
    process.kill(pid!, 'SIGKILL');
  }
  await eventually(
    () => bench.ended.length,
    count => count === 2,
  );
  await bench.sandbox.idle();
  const runs = await bench.run(names);
  assert.deepEqual(
    runs.map(run => run.outcome),
    ['ok', 'ok', 'ok'],
  );
  assert.deepEqual(bench.lost, []);
});

test('a new script that hangs at its top level does not hold up an event', async t => {
  const bench = sandboxBench(t);
  await bench.load('good', returning('1'));
  void bench.load('bad', 'const a = []; a[4294967294] = 1; a.sort();');
  const [run] = await bench.run(['good'], { deadline: monotonicNow() + 8000 });
  assert.equal(run?.outcome, 'ok');
  assert.deepEqual(bench.ended, ['an event could not wait longer for it']);
});

test('an event can be frozen, sealed, inherited from and assigned to like any object, read before that or not', async t => {
  const { load, run } = sandboxBench(t);
  const deed = `'use strict';
    function deepFreeze(value) {
      if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value;
      Object.freeze(value);
      for (const key of Object.keys(value)) deepFreeze(value[key]);
      return value;
    }
    exports.default = {
      createContainer(event) {
        const child = Object.create(event.container);
        child.env = { CHILD: '1' };
        event.container.mounts = ['changed'];
        const spread = { ...event.container };
        Object.seal(event.container);
        const sealed = [event.container.env.A.length, event.container.env === event.container.env];
        deepFreeze(event);
        let refused = '';
        try { event.container.linux = 1; } catch (error) { refused = error.name; }
        return [child.env, spread.mounts, sealed, refused, event.pod.annotations.A.length, Object.isFrozen(event.pod.annotations)];
      },
    };`;
  await load('a', deed);
  const long = 'x'.repeat(1000);
  const input = { pod: { annotations: { A: long } }, container: { id: 'c', env: { A: long }, mounts: [long], linux: { A: long } } };
  const [frozen] = await run(['a'], { input });
  assert.deepEqual(frozen?.outcome === 'ok' ? frozen.result : frozen, [{ CHILD: '1' }, ['changed'], [1000, true], 'TypeError', 1000, true]);
});

test('an event with many large entries by id is seen whole', async t => {
  const { load, run } = sandboxBench(t);
  await load('a', 'exports.default = { validateContainerAdjustment: ({ owners }) => Object.keys(owners).length };');
  const owners = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`container-${n}`, { Env: { NAME: 'x'.repeat(300) } }]));
  const [seen] = await run(['a'], { handler: 'validateContainerAdjustment', input: { owners } });
  assert.equal(seen?.outcome === 'ok' && seen.result, 1000);
});

test('results and log lines of any size arrive whole and in order, from one process', async t => {
  const bench = sandboxBench(t);
  const sizes = [0, 1000, 32_000, 33_000, 60_000];
  for (const [n, size] of sizes.entries()) {
    await bench.load(
      `s${n}`,
      `exports.default = { createContainer(event, nri) {
        for (let i = 0; i < 4; i++) nri.log.info('l'.repeat(${size}) + i);
        return 'é'.repeat(${size} * 8);
      } };`,
    );
  }
  const runs = await bench.run(sizes.map((_, n) => `s${n}`));
  assert.deepEqual(
    runs.map(run => (run.outcome === 'ok' ? String(run.result).length : run)),
    sizes.map(size => size * 8),
  );
  assert.deepEqual(
    bench.logs.map(({ id, text }) => [id, text.length, text.at(-3)]),
    sizes.flatMap((size, n) => ['0', '1', '2', '3'].map(last => [`s${n}`, size + 14 + 1, last])),
  );
  assert.deepEqual(bench.ended, []);
});

test('log lines say what is no JSON in words', async t => {
  const bench = sandboxBench(t);
  await bench.load(
    'a',
    `exports.default = { createContainer(event, nri) {
      nri.log.info('limits', { hard: 18446744073709551615n, soft: Infinity, f() {} });
      console.log(5n, NaN, undefined, { a: 1n }, new Error('boom'));
    } };`,
  );
  await bench.run(['a']);
  const [limits, words] = bench.logs.map(({ text }) => JSON.parse(text));
  assert.deepEqual(limits, { message: 'limits', fields: { hard: '18446744073709551615', soft: 'Infinity', f: '[function]' } });
  assert.match(words.message, /^5 NaN undefined \{"a":"1"\} Error: boom\n/);
});
