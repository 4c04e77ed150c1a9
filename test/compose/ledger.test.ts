import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finish, formatLedgerEntry } from '../../src/compose/index.ts';
import { composed, containerWith } from './fixture.ts';

test('a ledger entry reads as one line', () => {
  const container = containerWith({ env: { A: '1' }, annotations: { gone: 'x' } });
  const results = [
    { adjust: { env: { A: '2' }, annotations: { gone: null }, linux: { resources: { memory: { limit: 2n ** 63n - 1n } } } } },
    { adjust: { env: { A: '3' }, hooks: { poststop: [{ path: '/h' }] } } },
  ];
  assert.deepEqual(finish(composed(container, results)).ledger.map(formatLedgerEntry), [
    'env.A: set to "3" (was "1") by 20-b, over 10-a',
    'annotations.gone: removed (was "x") by 10-a',
    'linux.resources.memory.limit: set to 9223372036854775807 by 10-a',
    'hooks.poststop: appended [{"path":"/h"}] by 20-b',
  ]);
});

test('every outcome has its words, and long values are cut', () => {
  const entry = { container: 'c', field: 'env.A', script: '10-a', value: 'x'.repeat(1000), was: undefined, lost: [] };
  for (const outcome of ['set', 'unchanged', 'shadow', 'refused', 'ignored'] as const) {
    const line = formatLedgerEntry({ ...entry, outcome });
    assert.match(line, /^env\.A: .*x….* by 10-a$/);
    assert.ok(line.length < 300);
  }
});
