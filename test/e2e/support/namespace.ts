/** PID and mount namespaces around one containerd: whatever runs or is mounted inside ends with them. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export type Namespace = {
  /** Starts a program inside. The child is nsenter(1), which ends as the program ends. */
  spawn(program: string, args: string[], options: SpawnOptions): ChildProcess;
  /** The process id of the program behind a child of {@link Namespace.spawn}; undefined when there is none (any more). */
  programOf(child: ChildProcess): number | undefined;
  /** What runs inside, by the ids that we see from outside. */
  processes(): ProcessInside[];
  /** Ends everything inside and waits until it, the folder and the cgroups are gone; throws when something stays. */
  close(): Promise<void>;
};

export type ProcessInside = { pid: number; parent: number; args: string[] };

/** Folder and cgroup (a path below the hierarchies' roots) are removed at the end, even if our process is killed. */
export async function openNamespace(folder: string, cgroup: string): Promise<Namespace> {
  const guardian = spawn(process.execPath, [join(import.meta.dirname, 'guardian.ts'), folder, cgroup], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // In a session of its own, an interrupt from the terminal does not reach it.
    detached: true,
  });
  const ended = once(guardian, 'exit');
  const failed = ended.then(() => Promise.reject(new Error('unshare(1) failed: may this process make namespaces?')));
  const [line] = await Promise.race([once(guardian.stdout, 'data'), failed]);
  failed.catch(() => {});
  const proc = `/proc/${Number.parseInt(String(line), 10)}`;
  const pidNamespace = readlinkSync(`${proc}/ns/pid_for_children`);

  return {
    spawn: (program, args, options) =>
      spawn('nsenter', [`--pid=${proc}/ns/pid_for_children`, `--mount=${proc}/ns/mnt`, '--', program, ...args], options),
    programOf: child => processesIn(pidNamespace).find(({ parent }) => parent === child.pid)?.pid,
    processes: () => processesIn(pidNamespace),
    async close() {
      guardian.stdin.end();
      const [code] = await ended;
      if (code !== 0) throw new Error(`removing ${folder} and the cgroups ${cgroup} failed: see above`);
    },
  };
}

/** Processes of the namespace and their descendants: a container has a PID namespace of its own. */
function processesIn(namespace: string): ProcessInside[] {
  const all = new Map(allProcesses().map(one => [one.pid, one]));
  const isInside = (one: Seen | undefined): boolean => one !== undefined && (one.namespace === namespace || isInside(all.get(one.parent)));
  return [...all.values()].filter(isInside).map(({ pid, parent, args }) => ({ pid, parent, args }));
}

type Seen = ProcessInside & { namespace: string };

function allProcesses(): Seen[] {
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // proc_pid_stat(5): the second field, in parentheses, may hold anything; the parent is the fourth.
      const parent = Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1]);
      const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(0, -1);
      return [{ pid: Number(name), parent, args, namespace: readlinkSync(`/proc/${name}/ns/pid`) }];
    } catch {
      return []; // It ended while we looked.
    }
  });
}
