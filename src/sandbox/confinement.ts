/**
 * What takes rights away from a sandbox process before Node starts in it: a shell's resource limits, unshare(1), setpriv(1). Each is tried out
 * once; what a machine does not have or does not let us do is left out, and said.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Confinement = {
  /** The command that Node's own follows; empty when nothing of this works here. */
  readonly prefix: readonly string[];
  /** The user id to which the process changes by itself once it has loaded; undefined when it has it from the start, or keeps ours. */
  readonly dropTo: number | undefined;
  readonly holds: {
    /** The user id that scripts run with. */
    readonly user: number;
    /** No core files, no writing to files, few descriptors, first to go when the node runs out of memory. */
    readonly limits: boolean;
    /** A network namespace of its own, with nothing in it. */
    readonly noNetwork: boolean;
    readonly noNewPrivileges: boolean;
    /** No capabilities, and none that could be had: with no_new_privs no program gives any (prctl(2)). */
    readonly noCapabilities: boolean;
    /** It ends when the host ends, even in the middle of a loop. */
    readonly diesWithHost: boolean;
  };
};

/** What {@link confine} has to know of the machine. */
export type Surroundings = {
  /** The host's own user id; -1 where there are none. */
  user: number;
  /** The host's effective capabilities (capabilities(7)), as bits. */
  capabilities: bigint;
  /** Every user may read what the process loads. */
  readable: boolean;
  /** A user id that nobody else has. */
  ownUser: number;
  /** Absolute path of a program. */
  find(program: string): string | undefined;
  /** True when the command runs and succeeds. */
  works(command: readonly string[]): boolean;
};

/** A part of the command line, and what it brings about. `user`: the process starts as that one. */
type Step = { command: readonly string[]; user?: number; dropTo?: number; holds?: Partial<Confinement['holds']> };

const nobody = 65534;
/** CAP_KILL, CAP_SETGID, CAP_SETUID: without the first the host could not end a process of another user. */
const changingUsers = (1n << 5n) | (1n << 6n) | (1n << 7n);

/**
 * Descriptors: Node has about 22 open. Threads: about 6, and some when it starts; counted per user id, so only where the id is the process' own.
 * The files in /proc: first to be ended when memory is short, and nothing of its memory in a core dump even where those go to a program
 * (proc(5)).
 */
const limitsScript = (threads: boolean) =>
  [
    'echo 1000 2>/dev/null >/proc/self/oom_score_adj',
    'echo 0 2>/dev/null >/proc/self/coredump_filter',
    'ulimit -c 0 && ulimit -f 0 && ulimit -n 64 || exit 1',
    ...(threads ? ['ulimit -u 64 2>/dev/null || ulimit -p 64 2>/dev/null'] : []),
    'unset PWD OLDPWD SHLVL',
    'exec "$0" "$@"',
  ].join('; ');

export function confine(surroundings: Surroundings): Confinement {
  const { find, works, user, ownUser, capabilities, readable } = surroundings;
  const mayChange = user === 0 && (capabilities & changingUsers) === changingUsers;
  const [shell, env, unshare, setpriv] = ['sh', 'env', 'unshare', 'setpriv'].map(find);
  const limiting = (threads: boolean): Step[] =>
    shell ? [{ command: [shell, '-c', limitsScript(threads), ...(env ? [env, '-i'] : [])], holds: { limits: true } }] : [];
  const firstOf = (steps: Step[], before: readonly string[] = []): Step =>
    (shell && steps.find(step => works([...before, ...step.command, shell, '-c', proofOf(step)]))) || { command: [] };

  const limits = firstOf(limiting(false));
  const network = firstOf(unshare ? networkSteps(unshare, user === 0) : [], limits.command);
  const rights = firstOf(setpriv ? rightsSteps(setpriv, mayChange, readable, ownUser) : [], [...limits.command, ...network.command]);
  // Without capabilities it could not change its user any more: then no other user was possible.
  const dropTo = rights.dropTo ?? (mayChange && !rights.holds?.noCapabilities ? ownUser : undefined);
  const runsAs = rights.user ?? dropTo ?? user;
  const [counted = limits] = limits.holds && runsAs === ownUser ? limiting(true) : [];
  return {
    prefix: [...counted.command, ...network.command, ...rights.command],
    dropTo,
    holds: { ...holdsNothing, user: runsAs, ...limits.holds, ...network.holds, ...rights.holds },
  };
}

/** A shell script that fails when what is claimed is not so: setpriv(1) does not say when a set could not be emptied. */
function proofOf({ holds, dropTo }: Step): string {
  if (!holds?.noCapabilities || dropTo !== undefined) return ':';
  return 'while read -r name value; do case "$name $value" in CapPrm:*[1-9a-f]*|"NoNewPrivs: 0") exit 1;; esac; done </proc/self/status';
}

const holdsNothing = { limits: false, noNetwork: false, noNewPrivileges: false, noCapabilities: false, diesWithHost: false };

function networkSteps(unshare: string, root: boolean): Step[] {
  const holds = { noNetwork: true };
  const own = { command: [unshare, '--net', '--'], holds };
  const inUserNamespace = { command: [unshare, '--user', '--map-current-user', '--net', '--'], holds };
  return root ? [own] : [own, inUserNamespace];
}

/** From all that can be had to the least. Root itself stays only where another user is not possible. */
function rightsSteps(setpriv: string, mayChange: boolean, readable: boolean, ownUser: number): Step[] {
  const none = ['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all'];
  const dying = ['--pdeathsig=KILL'];
  const all = { noNewPrivileges: true, noCapabilities: true };
  const steps: Step[] = [];
  const add = (words: string[], step: Omit<Step, 'command'>) => steps.push({ command: [setpriv, ...words, '--'], ...step });
  for (const user of mayChange ? [ownUser, nobody] : []) {
    if (readable) {
      const change = [`--reuid=${user}`, `--regid=${user}`, '--clear-groups'];
      add([...none, ...change, ...dying], { user, holds: { ...all, diesWithHost: true } });
      add([...none, ...change], { user, holds: all });
    } else {
      // What only we may read has to be read first; the change then takes the rest away. Whether the id exists is tried with it.
      const kept = ['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all,+setuid,+setgid,+dac_read_search'];
      if (user === ownUser) add(kept, { dropTo: user, holds: all });
    }
  }
  add([...none, ...dying], { holds: { ...all, diesWithHost: true } });
  add(none, { holds: all });
  add(['--no-new-privs', '--inh-caps=-all', ...dying], { holds: { noNewPrivileges: true, diesWithHost: true } });
  add(['--no-new-privs', '--inh-caps=-all'], { holds: { noNewPrivileges: true } });
  add(['--no-new-privs'], { holds: { noNewPrivileges: true } });
  return steps;
}

/**
 * This machine. `paths`: what the process loads.
 *
 * The user id is one of 2^28 that no distribution, no container tool and no directory service gives out (systemd's UIDS-GIDS document): two
 * sandboxes do not share one, so neither can signal or trace the other, and limits per user are its own.
 */
export function thisMachine(paths: readonly string[]): Surroundings {
  const tools = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];
  return {
    user: process.geteuid?.() ?? -1,
    capabilities: effectiveCapabilities(),
    readable: paths.every(readableByAll),
    ownUser: 0x7000_0000 + randomInt(2 ** 28),
    find: program => tools.map(folder => join(folder, program)).find(path => statSync(path, { throwIfNoEntry: false })?.isFile()),
    works([command, ...args]) {
      const { status } = spawnSync(command!, args, { env: {}, cwd: '/', stdio: 'ignore', timeout: 2000 });
      return status === 0;
    },
  };
}

function effectiveCapabilities(): bigint {
  try {
    const found = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    return BigInt(`0x${found ?? '0'}`);
  } catch {
    return 0n;
  }
}

/** Mode bits alone: what an access list allows beyond them is not needed. */
function readableByAll(path: string): boolean {
  try {
    const real = realpathSync(path);
    for (let folder = dirname(real); ; folder = dirname(folder)) {
      if ((statSync(folder).mode & 0o001) === 0) return false;
      if (folder === dirname(folder)) break;
    }
    return (statSync(real).mode & 0o004) !== 0;
  } catch {
    return false;
  }
}
