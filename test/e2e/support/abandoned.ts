/** Started by harness.e2e.ts, to be killed: a test that never ends. Sends what it started to its parent. */
import { test } from 'node:test';
import { releases, startContainerd } from './containerd.ts';

test('abandoned', async t => {
  const containerd = await startContainerd(t, releases[0]!);
  const pod = await containerd.runPod();
  await pod.runContainer();
  process.send!({ folder: containerd.paths.folder, cgroup: containerd.cgroup, pids: containerd.processes().map(({ pid }) => pid) });
  await new Promise(() => {});
});
