/** The two sides of the race: plugins of upstream's kind, each a process, and nri-scripts with as many scripts that do the same. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { indexOf } from './programs.ts';

export type Side = {
  /** How many plugins the runtime sees. */
  plugins: number;
  /** The processes that were started; what they start themselves is not among them. */
  pids: number[];
  /** Rejects when a process has ended before its time. */
  failure: Promise<never>;
  end(): Promise<void>;
};

/** Each of the programs once, connected to the socket. */
export function startGoPlugins(programs: readonly string[], socketPath: string, folder: string): Side {
  const log = openSync(join(folder, 'log'), 'a');
  return sideOf(
    programs.map((program, n) => spawn(program, ['injector', indexOf(n), socketPath], { stdio: ['ignore', 'ignore', log] })),
    join(folder, 'log'),
  );
}

/** nri-scripts as users run it: `program` is the package's. With `matching` false no script is for the pod that is replayed. */
export function startNriScripts(program: string, count: number, matching: boolean, socketPath: string, folder: string): Side {
  const directory = join(folder, 'scripts.d');
  mkdirSync(directory, { mode: 0o755 });
  const script = readFileSync(resolve(import.meta.dirname, 'plugin/script.ts'), 'utf8');
  const settings = `allow: [devices, mounts]\n${matching ? '' : 'match: { namespaces: [elsewhere] }\n'}`;
  for (let n = 0; n < count; n++) {
    const path = join(directory, `${indexOf(n)}-injector`);
    writeFileSync(`${path}.ts`, script.replace("'INDEX'", `'${indexOf(n)}'`), { mode: 0o644 });
    writeFileSync(`${path}.yaml`, settings, { mode: 0o644 });
  }
  const log = join(folder, 'log');
  const flags = { socket: socketPath, scripts: directory, state: join(folder, 'state'), 'log-file': log };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  return sideOf([spawn(program, ['run', ...args], { stdio: ['ignore', 'inherit', 'inherit'] })], log);
}

function sideOf(processes: ChildProcess[], log: string): Side {
  let ending = false;
  const exits = processes.map(child => once(child, 'exit'));
  const early = exits.map(async exit => {
    const [code, signal] = await exit;
    if (!ending) throw new Error(`a plugin has ended before its time (${signal ?? code}): ${lastLine(log)}`);
    return new Promise<never>(() => {});
  });
  const failure = Promise.race(early);
  failure.catch(() => {});
  return {
    plugins: processes.length,
    pids: processes.map(child => child.pid!),
    failure,
    async end() {
      ending = true;
      for (const child of processes) child.kill('SIGTERM');
      const late = setTimeout(() => processes.forEach(child => void child.kill('SIGKILL')), 5000);
      await Promise.all(exits);
      clearTimeout(late);
    },
  };
}

function lastLine(path: string): string {
  return readFileSync(path, 'utf8').trim().split('\n').at(-1)!;
}
