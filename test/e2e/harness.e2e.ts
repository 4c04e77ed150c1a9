/** That the end-to-end tests' own tools hold: what the other files here rely on. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { cgroupFolders } from './support/cgroup.ts';
import { type Containerd, releases, startContainerd } from './support/containerd.ts';
import { pluginToLaunch, startPlugin } from './support/plugin.ts';

const scripts = { '10-mark.ts': 'export default { createContainer: () => ({ adjust: { env: { MARK: "set" } } }) };' };

for (const release of releases) {
  test(`containerd ${release} runs containers on paths of its own`, async t => {
    const containerd = await startContainerd(t, release);
    t.diagnostic(`containerd ${containerd.version}`);

    await t.test('it is the release that was asked for', async () => {
      const { runtimeName, runtimeVersion } = await containerd.cri.version();
      assert.equal(runtimeName, 'containerd');
      assert.match(runtimeVersion, new RegExp(`^v?${release.replace('.', '\\.')}\\.`));
    });

    await t.test('a command runs inside a container', async () => {
      const pod = await containerd.runPod({ name: 'exec' });
      const container = await pod.runContainer({ env: { GREETING: 'hello' } });
      assert.equal(await container.exec('sh', '-c', 'echo $GREETING, $FROM_IMAGE'), 'hello, yes\n');
      await assert.rejects(container.exec('sh', '-c', 'echo broken >&2; exit 3'), /exited with 3: broken/);
    });

    await t.test('the OCI spec comes back with exact numbers', async () => {
      const pod = await containerd.runPod({ name: 'spec' });
      const memoryLimitInBytes = String(2n ** 53n + 1n);
      const container = await pod.createContainer({ command: ['sleep', '5'], resources: { memoryLimitInBytes, cpuQuota: 20_000 } });
      const { process, linux } = await container.spec();
      assert.deepEqual(process.args, ['sleep', '5']);
      assert.equal(linux.resources?.memory?.limit, 2n ** 53n + 1n);
      assert.equal(linux.resources?.cpu?.quota, 20_000);
    });

    await t.test('the cgroup shows what the kernel was told, also after an update', async () => {
      const pod = await containerd.runPod({ name: 'cgroup' });
      const container = await pod.runContainer({ resources: { cpuPeriod: 100_000, cpuQuota: 50_000, memoryLimitInBytes: 64 << 20 } });
      const cgroup = await container.cgroup();
      assert.equal(cgroup.cpuQuota(), 50_000);
      assert.equal(cgroup.memoryLimit(), 64n << 20n);
      await container.update({ cpuPeriod: 100_000, cpuQuota: -1 });
      assert.equal(cgroup.cpuQuota(), -1);
    });

    await t.test('a container that ends leaves its output and its exit code', async () => {
      const pod = await containerd.runPod({ name: 'output' });
      const container = await pod.runContainer({ command: ['sh', '-c', 'echo one; echo two three; exit 7'] });
      await eventually(
        () => container.status(),
        ({ state }) => state === 'CONTAINER_EXITED',
      );
      assert.equal((await container.status()).exitCode, 7);
      assert.deepEqual(container.output(), ['one', 'two three']);
    });

    await t.test('pods and containers can be stopped and removed one by one', async () => {
      const pod = await containerd.runPod({ name: 'removed' });
      const container = await pod.runContainer();
      await container.stop();
      assert.equal((await container.status()).state, 'CONTAINER_EXITED');
      await container.remove();
      await pod.stop();
      await pod.remove();
      assert.ok((await containerd.cri.listPodSandbox()).every(({ id }) => id !== pod.id));
    });

    await t.test('containers live through a SIGKILL of containerd', async () => {
      const pod = await containerd.runPod({ name: 'survivor' });
      const container = await pod.runContainer();
      await containerd.kill9();
      await assert.rejects(container.status());
      await containerd.start();
      assert.equal((await container.status()).state, 'CONTAINER_RUNNING');
      assert.equal(await container.exec('echo', 'alive'), 'alive\n');
    });
  });

  test(`nothing of containerd ${release} stays behind`, async t => {
    const containerd = await startContainerd(t, release, { plugins: [pluginToLaunch(t, { scripts })] });
    const pod = await containerd.runPod();
    await pod.runContainer();
    const before = leftOf(containerd);
    assert.ok(before.processes.some(command => command.endsWith('containerd')));
    assert.ok(before.processes.includes('sleep'), `the container is not among ${before.processes}`);
    assert.ok(before.cgroups.length > 0);
    await containerd.stop();
    assert.deepEqual(leftOf(containerd), { processes: [], cgroups: [], folder: false, mounts: [] });
  });

  test(`the plugin works beside containerd ${release}`, async t => {
    const containerd = await startContainerd(t, release);
    const plugin = startPlugin(t, { socket: containerd.paths.nriSocket, scripts });
    await plugin.connected();
    const pod = await containerd.runPod();
    const container = await pod.runContainer();
    assert.match(await container.exec('env'), /^MARK=set$/m);
    await plugin.log.waitFor(line => line['event'] === 'createContainer');
    assert.equal(await plugin.stop(), 0);
  });

  test(`the plugin works when containerd ${release} launches it`, async t => {
    const plugin = pluginToLaunch(t, { scripts });
    const containerd = await startContainerd(t, release, { plugins: [plugin] });
    await plugin.configured();
    const pod = await containerd.runPod();
    const container = await pod.runContainer();
    assert.match(await container.exec('env'), /^MARK=set$/m);
  });
}

test('nothing stays behind when the test run itself is killed', async () => {
  const file = join(import.meta.dirname, 'support/abandoned.ts');
  const run = fork(file, { silent: true });
  const ended = once(run, 'exit').then(() => Promise.reject(new Error('it ended before it was killed')));
  const [message] = await Promise.race([once(run, 'message'), ended]);
  ended.catch(() => {});
  const { folder, cgroup, pids } = message as { folder: string; cgroup: string; pids: number[] };
  assert.ok(existsSync(folder) && cgroupFolders(cgroup).length > 0 && pids.length > 0);
  run.kill('SIGKILL');
  await eventually(
    () => ({ folder: existsSync(folder), cgroups: cgroupFolders(cgroup), pids: pids.filter(pid => existsSync(`/proc/${pid}`)) }),
    left => !left.folder && left.cgroups.length === 0 && left.pids.length === 0,
  );
});

function leftOf({ cgroup, paths, processes }: Containerd) {
  return {
    processes: processes().map(({ args }) => args[0] ?? ''),
    cgroups: cgroupFolders(cgroup),
    folder: existsSync(paths.folder),
    mounts: readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter(mount => mount.includes(paths.folder)),
  };
}
