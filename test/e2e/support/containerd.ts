/** A real containerd for one test: started, killed, restarted, and removed with all that it made. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { output } from './command.ts';
import { containerdConfig, type Layout, layoutIn } from './containerd-config.ts';
import { type Cri, openCri } from './cri.ts';
import { busyboxImage, pauseImage, prepareImages } from './images.ts';
import { openNamespace, type ProcessInside } from './namespace.ts';
import { type Packages, preparePackages } from './packages.ts';
import { type Pod, type PodOptions, runPod } from './pod.ts';
import { checkRequirements } from './requirements.ts';
import type { Scope } from './scope.ts';
import type { Toml } from './toml.ts';

// Once for a file of tests, which fails as a whole, not for each test.
checkRequirements();

/** Which containerd: 1.7 speaks NRI 0.6, 2 speaks NRI 0.8 or newer. */
export type Release = '1.7' | '2';
export const releases: readonly Release[] = ['1.7', '2'];

/** A plugin that containerd launches itself. */
export type LaunchedPlugin = {
  /** `NN-name`. */
  name: string;
  /** What the entry in the plugin directory links to. */
  executable: string;
  /** Contents of its configuration file; none by default. */
  config?: string;
};

export type ContainerdOptions = {
  /** Keys of containerd's NRI configuration, such as `plugin_request_timeout: '500ms'`. */
  nri?: Toml;
  /** In place before containerd starts. */
  plugins?: LaunchedPlugin[];
};

export type Containerd = {
  /** Version of the Debian package that runs. */
  readonly version: string;
  readonly paths: Layout;
  readonly cri: Cri;
  /** Where the pods' cgroups are, below the hierarchies' roots. */
  readonly cgroup: string;
  /** What containerd has written so far. */
  log(): string;
  /** A pod in the host's network. It goes when containerd is stopped. */
  runPod(options?: PodOptions): Promise<Pod>;
  /** Puts a plugin where the next start finds it. */
  addPlugin(plugin: LaunchedPlugin): Promise<void>;
  /** Everything that runs in its namespaces: containerd, shims, containers, launched plugins. */
  processes(): ProcessInside[];
  /** Ends containerd alone with SIGKILL; shims, containers and plugins stay. */
  kill9(): Promise<void>;
  /** Ends containerd alone with SIGTERM. */
  terminate(): Promise<void>;
  /** Starts it again on the same paths; resolves when it and NRI's socket are ready. */
  start(): Promise<void>;
  /** Removes everything: containers, shims, mounts, cgroups, the folder. Happens by itself when the test ends. */
  stop(): Promise<void>;
};

/** Fetches what is missing, starts a containerd on paths of its own, and waits until it is ready and has the images. */
export async function startContainerd(t: Scope, release: Release, options: ContainerdOptions = {}): Promise<Containerd> {
  const packages = await preparePackages();
  const images = await prepareImages(packages.busybox);
  const binaries = release === '1.7' ? packages.containerd17 : packages.containerd2;
  const paths = layoutIn(await mkdtemp(join(tmpdir(), 'nri-scripts-e2e-')));
  const cgroup = `/${basename(paths.folder)}`;
  const namespace = await openNamespace(paths.folder, cgroup);
  const cri = await openCri(paths.apiSocket, criProto(packages));
  const searched = [binaries.path('usr/bin'), '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':');
  let running: ChildProcess | undefined;
  let stopped: Promise<void> | undefined;

  const containerd: Containerd = {
    version: binaries.version,
    paths,
    cri,
    cgroup,
    log: () => (existsSync(paths.log) ? readFileSync(paths.log, 'utf8') : ''),
    runPod: wanted => runPod(cri, cgroup, paths.containerLogs, wanted),
    async addPlugin({ name, executable, config }) {
      await symlink(executable, join(paths.pluginFolder, name));
      if (config !== undefined) await writeFile(join(paths.pluginConfigFolder, `${name}.conf`), config);
    },
    processes: () => namespace.processes(),
    kill9: () => end('SIGKILL'),
    terminate: () => end('SIGTERM'),
    start,
    stop() {
      stopped ??= (async () => {
        cri.close();
        await namespace.close();
      })();
      return stopped;
    },
  };

  async function start(): Promise<void> {
    if (running) throw new Error('containerd is running: end it first');
    const log = openSync(paths.log, 'a');
    const child = namespace.spawn(binaries.path('usr/bin/containerd'), ['--config', join(paths.folder, 'config.toml')], {
      env: { PATH: searched },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    running = child;
    await eventually(
      async () => {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error('containerd ended while it started');
        return listens(paths.nriSocket) && (await cri.isReady().catch(() => false));
      },
      ready => ready,
      30_000,
    );
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!running) throw new Error('containerd is not running');
    const ended = once(running, 'exit');
    const program = namespace.programOf(running);
    if (program !== undefined) process.kill(program, signal);
    await ended;
    running = undefined;
  }

  t.after(async () => {
    if (t.passed === false) process.stderr.write(`e2e: containerd ${binaries.version} wrote:\n${worthReading(containerd.log())}\n`);
    await containerd.stop();
  });
  for (const folder of [paths.pluginFolder, paths.pluginConfigFolder, paths.containerLogs]) await mkdir(folder);
  await writeFile(
    join(paths.folder, 'config.toml'),
    containerdConfig(binaries.version, paths, packages.runc.path('usr/sbin/runc'), options.nri ?? {}),
  );
  for (const plugin of options.plugins ?? []) await containerd.addPlugin(plugin);
  await start();
  await output(binaries.path('usr/bin/ctr'), ['-a', paths.apiSocket, '-n', 'k8s.io', 'images', 'import', images]);
  for (const image of [busyboxImage, pauseImage]) {
    await eventually(
      () => cri.hasImage(image),
      present => present,
    );
  }
  return containerd;
}

function criProto(packages: Packages): string {
  return packages.criApi.path('usr/share/gocode/src/k8s.io/cri-api/pkg/apis/runtime/v1/api.proto');
}

/** Whether some process listens: the file alone also stays after a SIGKILL. A look at the socket, not a connection, which would be a plugin. */
function listens(socket: string): boolean {
  return readFileSync('/proc/net/unix', 'utf8').includes(` ${socket}\n`);
}

/** Without what it says at every start. */
function worthReading(log: string): string {
  const everyTime = /loading plugin|cri plugin.* config|event name:|^$/;
  return log
    .split('\n')
    .filter(line => !everyTime.test(line))
    .join('\n');
}
