/** One sandbox process as the host sees it: start, frames in both directions, SIGKILL, exit. Knows nothing of what the frames mean. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { encodeFrame, type Frame, FrameReader, maxReplyBytes, type Reply, type Request } from './protocol.ts';

export type SandboxProcess = {
  readonly pid: number | undefined;
  send(request: Request, segments?: readonly string[]): void;
  /** Ends the process at once; `onExit` follows. `reason` is what it is told. */
  kill(reason: string): void;
};

export type SandboxProcessEvents = {
  onReply(frame: Frame<Reply>): void;
  /** Exactly once. `reason`: why, with the end of what the process wrote to stderr. */
  onExit(reason: string): void;
};

const packageRoot = fileURLToPath(new URL('../../', import.meta.url));
const childFile = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url));

/**
 * The command line of a sandbox process. isolated-vm needs `--no-node-snapshot`; Node's permission model leaves the process the files
 * that it is made of, no writing, no child processes, no workers.
 */
export function sandboxArguments(): string[] {
  const readable = [packageRoot, ...packageFolders(['isolated-vm', 'node-gyp-build'])];
  return [
    '--no-node-snapshot',
    '--permission',
    '--allow-addons',
    ...readable.map(path => `--allow-fs-read=${path}`),
    // node-gyp-build asks whether this is Alpine (musl) before it picks a binary.
    '--allow-fs-read=/etc/alpine-release',
    '--disable-warning=PERM0001',
    '--disable-warning=SecurityWarning',
    childFile,
  ];
}

/** Where packages live when they are not below this one (npm may put them beside it). */
function packageFolders(names: string[]): string[] {
  const require = createRequire(import.meta.url);
  const folders = [];
  for (const name of names) {
    const manifest = require.resolve.paths(name)?.map(path => join(path, name, 'package.json'));
    const found = manifest?.find(path => {
      try {
        require(path);
        return true;
      } catch {
        return false;
      }
    });
    if (found && !found.startsWith(packageRoot)) folders.push(dirname(found));
  }
  return folders;
}

/** Starts a sandbox process: empty environment, no descriptors but its channel, out of reach of the terminal's signals. */
export function startSandboxProcess(events: SandboxProcessEvents): SandboxProcess {
  const child = spawn(process.execPath, sandboxArguments(), {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const channel = child.stdio[3] as Duplex;
  const incoming = new FrameReader<Reply>(maxReplyBytes);
  let stderr = '';
  let killed: string | undefined;
  let over = false;
  let garbled = false;

  function kill(reason: string): void {
    if (over || killed !== undefined) return;
    killed = reason;
    child.kill('SIGKILL');
  }

  function ended(reason: string): void {
    if (over) return;
    over = true;
    channel.destroy();
    events.onExit(killed ?? [reason, lastWords(stderr)].filter(Boolean).join(': '));
  }

  channel.on('data', (chunk: Buffer) => {
    if (garbled) return;
    try {
      incoming.push(chunk);
      for (let frame = incoming.next(); frame; frame = incoming.next()) events.onReply(frame);
    } catch (error) {
      garbled = true;
      kill(`it sent something that is not the protocol: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  channel.on('error', () => kill('its channel broke'));
  channel.on('end', () => kill('it closed its channel'));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4096);
  });
  child.on('error', error => ended(`it could not be started: ${error.message}`));
  // 'close' and not 'exit': what it had already said is read first.
  child.on('close', (code, signal) => ended(signal ? `it ended by ${signal}` : `it ended with code ${code}`));

  return {
    get pid() {
      return child.pid;
    },
    send(request, segments) {
      if (!over && killed === undefined) channel.write(encodeFrame(request, segments));
    },
    kill,
  };
}

/** The line that says most of a crash: V8's or Node's own words. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').map(line => line.trim());
  return lines.find(line => /error|fatal/i.test(line))?.slice(0, 300) ?? '';
}
