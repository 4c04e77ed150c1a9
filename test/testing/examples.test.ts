import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCodec } from '../../src/nri/index.ts';
import { exampleContainer, examplePod, realisticContainer, realisticPod } from '../../src/testing/examples.ts';

test('the realistic example makes a request of about 6 KB with 30 variables and 12 mounts', () => {
  const pod = realisticPod();
  const container = realisticContainer(pod);
  const { length } = createCodec().encode('CreateContainerRequest', { pod, container });
  assert.ok(length > 5500 && length < 6500, `${length} bytes`);
  assert.equal(container.env.length, 30);
  assert.equal(container.mounts.length, 12);
});

test('what a description says replaces the example', () => {
  const pod = examplePod({ name: 'db', annotations: { a: '1' } });
  assert.equal(pod.name, 'db');
  assert.deepEqual(pod.annotations, { a: '1' });
  const container = exampleContainer(pod, { name: 'sql', env: { FOO: '1' }, args: ['/bin/sql'] });
  assert.equal(container.podSandboxId, pod.id);
  assert.deepEqual(container.args, ['/bin/sql']);
  assert.equal(container.env.at(-1), 'FOO=1');
  assert.ok(container.env.length > 1, 'variables given by name are added');
  assert.deepEqual(exampleContainer(pod, { env: ['ONLY=1'] }).env, ['ONLY=1']);
});

test('the same description has the same ids, another name has others', () => {
  assert.equal(examplePod({ name: 'a' }).id, examplePod({ name: 'a' }).id);
  assert.notEqual(examplePod({ name: 'a' }).id, examplePod({ name: 'b' }).id);
  const pod = examplePod();
  assert.notEqual(exampleContainer(pod, { name: 'a' }).id, exampleContainer(pod, { name: 'b' }).id);
});

test('an example survives the wire unchanged', () => {
  const codec = createCodec();
  const pod = examplePod();
  const container = exampleContainer(pod);
  const decoded = codec.decode('CreateContainerRequest', codec.encode('CreateContainerRequest', { pod, container }));
  assert.deepEqual(decoded.container!.env, container.env);
  assert.deepEqual(decoded.container!.mounts, container.mounts);
  assert.equal(decoded.container!.linux!.resources!.memory!.limit, 268435456);
});
