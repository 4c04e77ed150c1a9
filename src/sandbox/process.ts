/** One sandbox process as the host sees it: start, frames in both directions, SIGKILL, exit. Knows nothing of what the frames mean. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Confinement, confine, thisMachine } from './confinement.ts';
import { encodeFrame, type Frame } from './frame.ts';
import { createInlet } from './inlet.ts';
import { knocksFd, type Reply, type Request, repliesFd, requestsFd } from './protocol.ts';

export type SandboxProcess = {
  readonly pid: number | undefined;
  /** Bytes sent that the process has not taken yet. */
  readonly untaken: number;
  send(request: Request, segments?: readonly string[]): void;
  /** Tells the process that something more urgent is on its way. */
  knock(): void;
  /** Reads what the process has said so far without ringing for it. */
  listen(): void;
  /** Ends the process at once; nothing more is heard of it but `onExit`. `reason` is what that is told. */
  kill(reason: string): void;
};

export type SandboxProcessEvents = {
  /** The frame's form is checked; what it says is for the caller to judge. */
  onReply(frame: Frame<Reply>): void;
  /** Exactly once. `reason`: why, with the end of what the process wrote to stderr; `wasKilled`: by {@link SandboxProcess.kill}. */
  onExit(reason: string, wasKilled: boolean): void;
};

const packageRoot = fileURLToPath(new URL('../../', import.meta.url));
const childFile = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url));
/** What the process may write to stderr in its life; a crash of V8 takes a few kilobytes. */
const maxStderr = 1 << 20;
const knock = Buffer.alloc(1);

/**
 * The command line of a sandbox process. isolated-vm needs `--no-node-snapshot`; Node's permission model leaves the process the files
 * that it is made of, no writing, no child processes, no workers.
 */
export function sandboxArguments(): string[] {
  const readable = new Set([packageRoot, ...addonFolders().filter(folder => !folder.startsWith(packageRoot))]);
  return [
    '--no-node-snapshot',
    '--permission',
    '--allow-addons',
    ...[...readable].map(path => `--allow-fs-read=${path}`),
    // node-gyp-build asks whether this is Alpine (musl) before it picks a binary.
    '--allow-fs-read=/etc/alpine-release',
    '--disable-warning=PERM0001',
    '--disable-warning=SecurityWarning',
    childFile,
  ];
}

/** How sandbox processes are confined on this machine. Starts a few small programs: to be done once. */
export function confinementHere(): Confinement {
  const addon = packageFolder('isolated-vm', import.meta.url)?.real;
  const addonFiles = addon === undefined ? [] : [join(addon, 'isolated-vm.js'), ...prebuilt(addon)];
  return confine(thisMachine([process.execPath, childFile, ...addonFiles]));
}

function prebuilt(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.node') && name.includes(process.arch))
    .map(name => join(folder, name));
}

/** Where a package lives that another file imports: as Node finds it, and where that leads to (pnpm and `npm link` make links). */
function packageFolder(name: string, importer: string): { found: string; real: string } | undefined {
  const require = createRequire(importer);
  const found = require.resolve.paths(name)?.find(path => existsSync(join(path, name, 'package.json')));
  return found === undefined ? undefined : { found: join(found, name), real: realpathSync(join(found, name)) };
}

/** The folders of what the child imports from elsewhere. */
function addonFolders(): string[] {
  const addon = packageFolder('isolated-vm', import.meta.url);
  const loader = addon && packageFolder('node-gyp-build', join(addon.real, 'package.json'));
  return [addon, loader].flatMap(folder => (folder ? [folder.found, folder.real] : []));
}

/** Starts a sandbox process: empty environment, no descriptors but its three channels, out of reach of the terminal's signals. */
export function startSandboxProcess({ prefix, dropTo }: Confinement, events: SandboxProcessEvents): SandboxProcess {
  const words = [...prefix, process.execPath, ...sandboxArguments(), ...(dropTo === undefined ? [] : [String(dropTo)])];
  let child: ChildProcess;
  try {
    child = spawn(words[0]!, words.slice(1), {
      cwd: '/',
      env: {},
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    // Most failures come as an event; of some, such as ETXTBSY while Node is being replaced, it makes an exception.
    setImmediate(() => events.onExit(`it could not be started: ${error instanceof Error ? error.message : String(error)}`, false));
    return { pid: undefined, untaken: 0, send: () => {}, knock: () => {}, listen: () => {}, kill: () => {} };
  }
  const stdio: readonly unknown[] = child.stdio;
  const [requests, replies, knocks] = [requestsFd, repliesFd, knocksFd].map(fd => stdio[fd]) as [Socket, Socket, Socket];
  const inlet = createInlet(replies, frame => events.onReply(frame), listen);
  let stderr = '';
  let stderrLength = 0;
  let killed: string | undefined;
  let over = false;

  function kill(reason: string): void {
    if (over || killed !== undefined) return;
    killed = reason;
    child.kill('SIGKILL');
    closeChannels();
  }

  function closeChannels(): void {
    inlet.close();
    for (const channel of [requests, replies, knocks]) channel.destroy();
  }

  function ended(reason: string): void {
    if (over) return;
    over = true;
    closeChannels();
    events.onExit(killed ?? [reason, lastWords(stderr)].filter(Boolean).join(': '), killed !== undefined);
  }

  function listen(): void {
    try {
      inlet.read();
    } catch (error) {
      kill(`it sent something that is not the protocol: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  requests.on('data', listen);
  for (const channel of [requests, replies, knocks]) channel.on('error', () => child.kill('SIGKILL'));
  requests.on('end', () => child.kill('SIGKILL'));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4096);
    stderrLength += text.length;
    if (stderrLength > maxStderr) kill('it wrote too much to stderr');
  });
  child.on('error', error => ended(`it could not be started: ${error.message}`));
  child.on('exit', () => {
    // What it had said before counts.
    listen();
    replies.destroy();
    knocks.destroy();
  });
  // 'close' and not 'exit': what it wrote to stderr is read first.
  child.on('close', (code, signal) => ended(signal ? `it ended by ${signal}` : `it ended with code ${code}`));

  return {
    get pid() {
      return child.pid;
    },
    get untaken() {
      return requests.writableLength;
    },
    send(request, segments) {
      if (!over && killed === undefined) requests.write(encodeFrame(request, segments));
    },
    knock() {
      if (!over && killed === undefined) knocks.write(knock);
    },
    listen,
    kill,
  };
}

/** The line that says most of a crash: V8's or Node's own words. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').map(line => line.trim());
  return lines.find(line => /error|fatal/i.test(line))?.slice(0, 300) ?? '';
}
