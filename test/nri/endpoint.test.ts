import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createBackoff } from '../../src/nri/backoff.ts';
import { dial, dialError, launchedPlugin } from '../../src/nri/endpoint.ts';

test('a missing socket, a dead one and an impossible path are told apart', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'nri-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'file');
  writeFileSync(file, '');
  await assert.rejects(dial({ path: join(directory, 'none') }), { code: 'NRI_SOCKET_MISSING', message: /is NRI enabled/ });
  await assert.rejects(dial({ path: join(file, 'below') }), { code: 'NRI_SOCKET_MISSING' });
  await assert.rejects(dial({ path: file }), { code: 'NRI_SOCKET_REFUSED', message: /nobody listens/ });
  await assert.rejects(dial({ path: `/${'x'.repeat(200)}` }), { code: 'NRI_SOCKET_FAILED', message: /201 bytes/ });
});

test('a forbidden socket says who may open it', () => {
  const error = dialError('/run/nri.sock', Object.assign(new Error(), { code: 'EACCES' }));
  assert.deepEqual([error.code, /root/.test(error.message)], ['NRI_SOCKET_PERMISSION', true]);
});

test('a descriptor that is no socket is refused', async () => {
  await assert.rejects(dial({ fd: 987_654 }), { code: 'NRI_SOCKET_FAILED', message: /987654/ });
});

test('dialling is given up when asked', async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(dial({ path: '/nowhere' }, signal), { code: 'NRI_CLOSED' });
});

test('a launched plugin reads its place from the environment', () => {
  assert.deepEqual(launchedPlugin({ NRI_PLUGIN_NAME: 'demo', NRI_PLUGIN_IDX: '10', NRI_PLUGIN_SOCKET: '3' }), {
    name: 'demo',
    index: '10',
    endpoint: { fd: 3 },
  });
  assert.equal(launchedPlugin({ PATH: '/bin' }), undefined);
  for (const NRI_PLUGIN_SOCKET of ['', '-1', '1', 'three', '3.5', '99999999999'])
    assert.throws(() => launchedPlugin({ NRI_PLUGIN_SOCKET }), { code: 'NRI_SOCKET_FAILED' });
});

test('waits double up to the maximum, and are shortened by at most a half', () => {
  const longest = createBackoff(100, 500, () => 0);
  assert.deepEqual([longest.next(), longest.next(), longest.next(), longest.next(), longest.next()], [100, 200, 400, 500, 500]);
  longest.reset();
  assert.equal(longest.next(), 100);
  const shortest = createBackoff(100, 500, () => 1);
  assert.deepEqual([shortest.next(), shortest.next()], [50, 100]);
});
