/** What holds on this machine: the sandbox' rights, tried on a running one, the scripts directory, the places that are needed. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { grants } from '../compose/index.ts';
import { monotonicNow, openSandbox, type Sandbox } from '../sandbox/index.ts';
import { createScriptStore, ScriptProblem } from '../scripts/index.ts';

export type Finding = {
  /** `no`: something does not hold; `note`: fine, but worth knowing. */
  verdict: 'yes' | 'no' | 'note';
  /** One line, with what to do where something is wrong. */
  text: string;
};

export type DoctorOptions = { socket: string; scripts: string; state: string };

/** Carries out every check; each finding is told as it comes. */
export async function examine(options: DoctorOptions, tell: (finding: Finding) => void): Promise<void> {
  tell({ verdict: 'yes', text: `Node ${process.version} for ${process.arch}, as user ${process.geteuid?.()}` });
  tell(socketFinding(options.socket));
  const sandbox = openSandbox({ onLog: () => {}, onLookup: () => 'null', onLost: () => {} });
  try {
    await examineSandbox(sandbox, tell);
    await examineScripts(options.scripts, sandbox, tell);
  } finally {
    await sandbox.close();
  }
  tell(stateFinding(options.state));
}

async function examineSandbox(sandbox: Sandbox, tell: (finding: Finding) => void): Promise<void> {
  const started = monotonicNow();
  await sandbox.idle();
  const { holds, ceiling } = sandbox.state();
  tell({
    verdict: 'yes',
    text: `the sandbox process is up in ${Math.round(monotonicNow() - started)} ms; it may occupy ${ceiling >> 20} MiB and 16 more per script`,
  });
  const self = process.geteuid?.();
  tell({
    verdict: holds.user === self && self === 0 ? 'no' : 'yes',
    text:
      holds.user === self
        ? `scripts run as our own user ${self}: start it as root to give them another`
        : `scripts run as user ${holds.user}, which nobody else is`,
  });
  const rights: Array<[boolean, string, string]> = [
    [
      holds.noCapabilities,
      'no capabilities, and none that could be had',
      'capabilities are not taken away: setpriv(1) of util-linux does that',
    ],
    [holds.noNewPrivileges, 'no new privileges by any program', 'no_new_privs is not set: setpriv(1) of util-linux does that'],
    [holds.noNetwork, 'no network', 'the network is in reach of the process (scripts have no way to it): unshare(1) as root takes it away'],
    [holds.limits, 'no writing, no core files, few descriptors', 'no resource limits: sh(1) sets them'],
    [holds.diesWithHost, 'ends with the host, even in the middle of a loop', 'a process that hangs outlives a host that is killed with -9'],
  ];
  for (const [held, yes, no] of rights)
    tell(held ? { verdict: 'yes', text: `sandbox: ${yes}` } : { verdict: 'no', text: `sandbox: ${no}` });
  tell(await hangFinding(sandbox));
}

/** Lets a script hang where V8 cannot stop it. */
async function hangFinding(sandbox: Sandbox): Promise<Finding> {
  const id = 'doctor.js';
  const code = '__define((module, exports) => { exports.default = { configure() { const a = []; a[4294967294] = 1; a.sort(); } }; });';
  await sandbox.load({ id, name: id, code, config: 'null', timeout: 50, memory: 64 << 20, allow: [], shadow: false });
  const started = monotonicNow();
  let outcome = '';
  const event = { handler: 'configure', scripts: [id], deadline: started + 2000, compose: 'none', input: () => ({}) } as const;
  await sandbox.run(event, run => {
    outcome = run.outcome;
  });
  const stopped = Math.round(monotonicNow() - started);
  sandbox.unload(id);
  await sandbox.idle();
  const replaced = Math.round(monotonicNow() - started);
  if (outcome !== 'killed') return { verdict: 'no', text: `a script that hangs was not stopped (${outcome})` };
  return {
    verdict: 'yes',
    text: `a script that V8 cannot stop was stopped after ${stopped} ms (its timeout is 50), the process replaced after ${replaced}`,
  };
}

async function examineScripts(directory: string, sandbox: Sandbox, tell: (finding: Finding) => void): Promise<void> {
  const problems: string[] = [];
  const store = createScriptStore({
    directory,
    grants,
    async probe({ id, name, code, settings, positions }) {
      const config = JSON.stringify(settings.config ?? null);
      const { timeout, memory, allow } = settings;
      const result = await sandbox.load({ id, name, code, config, timeout, memory, allow, shadow: false });
      if ('handlers' in result) return result.handlers;
      throw new ScriptProblem('SCRIPT_LOAD_FAILED', name, `${positions.first(result.error.stack) ?? name}: ${result.error.message}`);
    },
    onChange: () => {},
    onProblem: ({ code, message }) => problems.push(`${code}: ${message}`),
  });
  await store.refresh();
  for (const problem of problems) tell({ verdict: 'no', text: problem });
  const names = store.active().map(script => script.name);
  if (names.length > 0) tell({ verdict: 'yes', text: `${directory}: ${names.join(', ')}` });
  else if (problems.length === 0) tell({ verdict: 'note', text: `${directory}: no scripts yet` });
}

function socketFinding(path: string): Finding {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return { verdict: 'no', text: `no socket at ${path}: is the runtime running, and is NRI enabled in its configuration?` };
  if (!stats.isSocket()) return { verdict: 'no', text: `${path} is no socket: name the runtime's NRI socket with --socket` };
  return permitted(path, constants.W_OK)
    ? { verdict: 'yes', text: `the runtime's NRI socket is ${path}` }
    : { verdict: 'no', text: `no permission to open ${path}: run as root` };
}

function stateFinding(directory: string): Finding {
  let place = directory;
  while (!existsSync(place)) place = dirname(place);
  if (permitted(place, constants.W_OK)) return { verdict: 'yes', text: `what scripts keep goes to ${directory}` };
  return { verdict: 'no', text: `${place} cannot be written: what scripts keep is lost at a restart; name another place with --state` };
}

function permitted(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
