/** The main job on real containerds: what scripts return is in the container that starts, for both ways of being a plugin. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { folder } from '../support/folder.ts';
import { type Containerd, type Release, releases, startContainerd } from './support/containerd.ts';
import { type Plugin, type PluginToLaunch, pluginToLaunch, startPlugin } from './support/plugin.ts';

const examplesFolder = resolve(import.meta.dirname, '../../scripts-examples');
const examples = Object.fromEntries(
  readdirSync(examplesFolder)
    .filter(name => name !== 'tsconfig.json')
    .map(name => [name, readFileSync(join(examplesFolder, name), 'utf8')]),
);

const scripts = (source: string) => ({
  ...examples,
  '30-adjust.ts': `
    import type { Script } from 'nri-scripts';
    export default {
      createContainer({ container }) {
        return {
          adjust: {
            annotations: { 'e2e/annotation': container.name },
            env: { E2E_ADDED: 'yes', E2E_CHANGED: 'new' },
            mounts: [{ destination: '/e2e', source: '${source}', type: 'bind', options: ['rbind', 'ro'] }],
            rlimits: [{ type: 'RLIMIT_NPROC', hard: 4321, soft: 1234 }, { type: 'RLIMIT_FSIZE', hard: 2n ** 64n - 1n, soft: 2n ** 64n - 1n }],
            linux: { oomScoreAdj: 321, resources: { memory: { limit: 96 * 1024 * 1024 } } },
          },
        };
      },
    } satisfies Script;`,
  '30-adjust.yaml': 'allow: [mounts]',
  '40-update.ts': `
    import type { Script } from 'nri-scripts';
    export default {
      updateContainer: ({ container }) => ({ update: [{ containerId: container.id, linux: { resources: { cpu: { shares: 777 } } } }] }),
      postStartContainer({ container }, nri) {
        nri.update({ containerId: container.id, linux: { resources: { cpu: { shares: 333 } } } });
      },
    } satisfies Script;`,
});

type Started = { containerd: Containerd; plugin: Pick<Plugin | PluginToLaunch, 'log'> };

const ways: Record<string, (t: TestContext, release: Release, files: Record<string, string>) => Promise<Started>> = {
  async external(t, release, files) {
    const containerd = await startContainerd(t, release);
    const plugin = startPlugin(t, { socket: containerd.paths.nriSocket, scripts: files });
    await plugin.connected();
    return { containerd, plugin };
  },
  async 'pre-launched'(t, release, files) {
    const plugin = pluginToLaunch(t, { scripts: files });
    const containerd = await startContainerd(t, release, { plugins: [plugin] });
    await plugin.configured();
    return { containerd, plugin };
  },
};

for (const release of releases) {
  for (const [way, start] of Object.entries(ways)) {
    test(`containerd ${release}, ${way}: a container starts with what the scripts returned`, async t => {
      const shared = folder(t, { 'hello.txt': 'from the host\n' });
      const { containerd, plugin } = await start(t, release, scripts(shared.path));
      t.diagnostic(`containerd ${containerd.version}`);
      const speaks07 = release !== '1.7';
      const pod = await containerd.runPod({
        name: 'life',
        annotations: {
          'qos.class': 'ls',
          'devices.noderesource.dev/container.main': '- path: /dev/e2e-zero\n  type: c\n  major: 1\n  minor: 5\n  file_mode: 0444\n',
        },
      });
      const container = await pod.runContainer({
        command: ['sh', '-c', 'cat /proc/self/limits; echo oom score adj $(cat /proc/self/oom_score_adj); exec sleep 1000000'],
        env: { E2E_CHANGED: 'old' },
        resources: { cpuQuota: 20_000, cpuPeriod: 100_000, memoryLimitInBytes: 256 * 1024 * 1024 },
      });
      const cgroup = await container.cgroup();

      assert.equal(cgroup.cpuQuota(), -1, 'clearcfs, in the cgroup');
      assert.equal(cgroup.memoryLimit(), 96n * 1024n * 1024n, 'memory limit, in the cgroup');
      const zeroes = await container.exec('sh', '-c', 'head -c 4 /dev/e2e-zero | od -An -tx1');
      assert.equal(zeroes.trim(), '00 00 00 00', 'the injected device, used from inside');
      assert.equal(await container.exec('sh', '-c', 'echo $E2E_ADDED $E2E_CHANGED'), 'yes new\n', 'environment, from inside');
      assert.equal(await container.exec('cat', '/e2e/hello.txt'), 'from the host\n', 'mount, from inside');
      const limits = await eventually(
        () => container.output(),
        lines => lines.some(line => line.startsWith('oom score adj')),
      );
      assert.match(limits.join('\n'), /^Max processes +1234 +4321 /m, 'rlimit, from inside');
      const spec = await container.spec();
      assert.equal(spec.annotations?.['e2e/annotation'], 'main');
      assert.equal(spec.annotations?.['nri-scripts/logged'], 'nri-scripts-logger');
      const fileSize = spec.process.rlimits?.find(limit => limit.type === 'RLIMIT_FSIZE');
      assert.equal(fileSize?.hard, 18446744073709551615n, 'RLIM_INFINITY, exact');
      if (speaks07) assert.ok(limits.includes('oom score adj 321'), 'oom score adj, from inside');
      else await plugin.log.waitFor(line => line['code'] === 'RESULT_NRI_TOO_OLD' && /oomScoreAdj/.test(line.msg));

      await eventually(
        () => cgroup.read('cpu.shares'),
        shares => shares === '333',
      );
      await container.update({ cpuQuota: 30_000, cpuPeriod: 100_000, cpuShares: 512 });
      assert.equal(cgroup.cpuQuota(), -1, 'clearcfs, at the update');
      assert.equal(cgroup.read('cpu.shares'), '777', 'updateContainer');

      await container.stop();
      await container.remove();
      await pod.stop();
      await pod.remove();
      const expected = [
        ...['runPodSandbox', 'createContainer', 'postCreateContainer', 'startContainer', 'postStartContainer'],
        ...['updateContainer', 'postUpdateContainer', 'stopContainer', 'removeContainer', 'stopPodSandbox', 'removePodSandbox'],
      ];
      const logged = () => {
        const lines = plugin.log.lines().filter(line => line['script'] === '00-logger.ts' && line['pod'] === 'default/life');
        return [...new Set(lines.map(line => line.msg))];
      };
      await eventually(logged, events => events.includes('removePodSandbox'));
      assert.deepEqual(logged(), expected, 'the logger’s events, in order');
      const events = plugin.log.lines().filter(line => line['event'] === 'createContainer' && Array.isArray(line['scripts']));
      assert.equal(events.length, 1, 'one line per event');
      assert.ok(
        (events[0]!['changes'] as string[]).some(change =>
          change.startsWith('linux.resources.cpu.quota: set to -1 (was 20000) by 10-clearcfs.ts'),
        ),
      );
    });
  }
}

for (const release of releases) {
  test(`containerd ${release}: scripts that loop, throw and eat memory cost nobody else anything`, async t => {
    const containerd = await startContainerd(t, release);
    const plugin = startPlugin(t, {
      socket: containerd.paths.nriSocket,
      scripts: {
        '10-loop.js': 'export default { createContainer() { for (;;); } };',
        '20-throw.js': 'export default { createContainer() {\n  throw new TypeError("on purpose");\n} };',
        '30-memory.js': 'export default { createContainer() { const all = []; for (;;) all.push(new Array(1000).fill({})); } };',
        '40-good.js': 'export default { createContainer: ({ container }) => ({ adjust: { env: { GOOD: container.name } } }) };',
        '50-native.js': 'export default { createContainer() { const a = []; a[4294967294] = 1; a.sort(); } };',
        '60-late.js': 'export default { createContainer: () => ({ adjust: { env: { LATE: "too" } } }) };',
      },
    });
    await plugin.connected();
    const pod = await containerd.runPod();
    for (const name of ['one', 'two', 'three', 'four']) {
      const container = await pod.runContainer({ name });
      assert.equal(await container.exec('sh', '-c', 'echo $GOOD $LATE'), `${name} too\n`);
    }
    const codes = plugin.log.lines().map(line => line['code']);
    for (const code of ['SCRIPT_TIMEOUT', 'SCRIPT_ERROR', 'SCRIPT_KILLED', 'SCRIPT_QUARANTINED'])
      assert.ok(codes.includes(code), `${code} in ${codes}`);
    const thrown = plugin.log.lines().find(line => line['code'] === 'SCRIPT_ERROR');
    assert.match(String(thrown?.['where']), /^20-throw\.js:2:\d+$/);
    assert.equal(plugin.log.lines().filter(line => line.msg.startsWith('connected')).length, 1, 'still the first connection');
  });

  test(`containerd ${release}: a script saved while pods are created is active within a second, no event is lost or answered twice`, async t => {
    const containerd = await startContainerd(t, release);
    const version = (n: number) => `export default { createContainer: () => ({ adjust: { env: { VERSION: '${n}' } } }) };`;
    const plugin = startPlugin(t, { socket: containerd.paths.nriSocket, scripts: { '10-version.js': version(0) } });
    await plugin.connected();
    const pod = await containerd.runPod();
    const created: Array<{ id: string; begun: number; saved: number }> = [];
    let saved = { version: 0, at: 0 };
    let before = 0;
    for (let n = 0; n < 24; n++) {
      if (n % 6 === 5) {
        before = saved.version;
        saved = { version: saved.version + 1, at: Date.now() };
        writeFileSync(join(plugin.scripts.path, '10-version.js'), version(saved.version));
      }
      const begun = Date.now();
      const container = await pod.createContainer({ name: `c${n}` });
      const env = (await container.spec()).process.env?.find(each => each.startsWith('VERSION='));
      const allowed = begun - saved.at > 1000 ? [saved.version] : [before, saved.version];
      assert.ok(
        allowed.some(each => env === `VERSION=${each}`),
        `container ${n}, ${begun - saved.at} ms after version ${saved.version} was saved: ${env}`,
      );
      created.push({ id: container.id, begun, saved: saved.version });
    }
    await eventually(
      () =>
        plugin.log.lines().filter(line => Array.isArray(line['changed']) && (line['changed'] as string[]).includes('10-version.js')).length,
      swaps => swaps === saved.version,
    );
    const last = await pod.createContainer({ name: 'last' });
    assert.ok((await last.spec()).process.env?.includes(`VERSION=${saved.version}`));
    const answers = plugin.log.lines().filter(line => line['event'] === 'createContainer' && Array.isArray(line['scripts']));
    assert.deepEqual(
      answers.map(line => line['containerId']),
      [...created.map(container => container.id), last.id],
      'every container once, in order',
    );
    assert.equal(plugin.log.lines().filter(line => line.msg.startsWith('connected')).length, 1, 'still the first connection');
  });

  test(`containerd ${release}: killed with -9 and started again, ten times, the plugin is back by itself each time`, async t => {
    const containerd = await startContainerd(t, release);
    const plugin = startPlugin(t, {
      socket: containerd.paths.nriSocket,
      scripts: {
        '10-env.js': `export default {
          createContainer: () => ({ adjust: { env: { ADDED: '1' } } }),
          synchronize: ({ pods, containers }, nri) => nri.log.info('state', { pods: pods.length, names: containers.map(each => each.name) }),
        };`,
      },
    });
    await plugin.connected();
    const pod = await containerd.runPod();
    await pod.runContainer({ name: 'first' });
    for (let n = 1; n <= 10; n++) {
      const name = `after-${n}`;
      const from = plugin.log.lines().length;
      await containerd.kill9();
      await plugin.log.waitFor(line => line['code'] === 'NRI_CLOSED' || line['code'] === 'NRI_SOCKET_REFUSED', from);
      await containerd.start();
      await plugin.connected(from);
      const state = await plugin.log.waitFor(line => line.msg === 'state', from);
      assert.ok((state['fields'] as { names: string[] }).names.includes('first'), 'synchronised');
      const container = await pod.runContainer({ name });
      assert.equal(await container.exec('sh', '-c', 'echo $ADDED'), '1\n');
    }
    assert.equal(await plugin.stop(), 0);
  });
}
