/**
 * A process that keeps a PID and a mount namespace while its standard input is open, and then removes all that a containerd left:
 * processes and mounts go with the namespaces, cgroups and the folder by name. It outlives a test run that is killed.
 *
 * Usage: guardian.ts FOLDER CGROUP. Writes one line, the process id whose /proc entry shows the namespaces.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { removeCgroups } from './cgroup.ts';

const [folder, cgroup] = process.argv.slice(2);
if (!folder || !cgroup) throw new Error('usage: guardian.ts FOLDER CGROUP');

// The namespace's init: bash reaps orphans, and its end is the end of all processes inside (pid_namespaces(7)). What containerd, its
// shims and runc keep below /run is theirs alone.
const init = 'mount -t tmpfs -o mode=755 tmpfs /run && echo ready && read -r';
const space = spawn('unshare', ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'bash', '-c', init], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const ended = once(space, 'exit');
space.stdout.once('data', () => process.stdout.write(`${space.pid}\n`));
process.stdin.resume();
process.stdin.once('end', () => space.stdin.end());

await ended;
rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
await removeCgroups(cgroup);
process.exit();
