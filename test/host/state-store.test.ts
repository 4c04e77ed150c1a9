import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { createStateStore } from '../../src/host/state-store.ts';
import { eventually } from '../support/eventually.ts';
import { folder } from '../support/folder.ts';

function logTo(lines: string[]) {
  return pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line).code) });
}

test('what a script keeps is there after a restart, each script’s for itself', t => {
  const { path } = folder(t);
  const store = createStateStore(join(path, 'state'), logTo([]));
  assert.ok(store.change('10-a.ts', { n: 1, gone: 2 }));
  assert.ok(store.change('10-a.ts', { gone: null, ['__proto__']: 'a key like any other' }));
  assert.ok(store.change('20-b.ts', { n: 2 }));
  store.flush();
  const again = createStateStore(join(path, 'state'), logTo([]));
  assert.equal(again.text('10-a.ts'), '{"n":1,"__proto__":"a key like any other"}');
  assert.equal(again.text('20-b.ts'), '{"n":2}');
  assert.equal(again.text('30-c.ts'), '{}');
});

test('changes are written by themselves, and nothing half written stays', async t => {
  const { path } = folder(t);
  const store = createStateStore(path, logTo([]));
  store.change('10-a.ts', { n: 1 });
  await eventually(
    () => readdirSync(path),
    names => names.join() === '10-a.ts.json',
  );
  assert.equal(readFileSync(join(path, '10-a.ts.json'), 'utf8'), '{"n":1}');
});

test('an emptied record leaves no file', t => {
  const { path } = folder(t);
  const store = createStateStore(path, logTo([]));
  store.change('10-a.ts', { n: 1 });
  store.flush();
  store.change('10-a.ts', { n: null });
  store.flush();
  assert.deepEqual(readdirSync(path), []);
});

test('too much is refused and changes nothing', t => {
  const { path } = folder(t);
  const store = createStateStore(path, logTo([]));
  store.change('10-a.ts', { n: 1 });
  assert.equal(store.change('10-a.ts', { m: 'x'.repeat(70_000) }), false);
  assert.equal(store.text('10-a.ts'), '{"n":1}');
});

for (const [what, text] of [
  ['garbage', '{"n":'],
  ['no record', '[1]'],
  ['far too large', `"${'x'.repeat(1 << 20)}"`],
] as const) {
  test(`a file that is ${what} is set aside, and the script begins anew`, t => {
    const { path } = folder(t);
    const codes: string[] = [];
    writeFileSync(join(path, '10-a.ts.json'), text);
    const store = createStateStore(path, logTo(codes));
    assert.equal(store.text('10-a.ts'), '{}');
    assert.deepEqual(codes, ['STATE_CORRUPT']);
    assert.ok(existsSync(join(path, '10-a.ts.json.corrupt')));
  });
}

test('a directory that cannot be written costs a warning, not the state', t => {
  const { path } = folder(t, { file: '' });
  const codes: string[] = [];
  const store = createStateStore(join(path, 'file', 'state'), logTo(codes));
  store.change('10-a.ts', { n: 1 });
  store.flush();
  store.change('10-a.ts', { n: 2 });
  store.flush();
  assert.deepEqual([codes, store.text('10-a.ts')], [['STATE_NOT_KEPT'], '{"n":2}']);
});
