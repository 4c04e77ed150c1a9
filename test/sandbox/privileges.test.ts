import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Confinement, confine, type Surroundings } from '../../src/sandbox/confinement.ts';
import { eventually } from '../support/eventually.ts';
import { sandboxBench } from '../support/sandbox.ts';

const everything = (1n << 41n) - 1n;
const paths: Record<string, string> = { sh: '/bin/sh', env: '/usr/bin/env', unshare: '/usr/bin/unshare', setpriv: '/usr/bin/setpriv' };

function machine(differing: Partial<Surroundings> = {}): Surroundings {
  return {
    user: 0,
    capabilities: everything,
    readable: true,
    ownUser: 1_900_000_000,
    find: program => paths[program],
    works: () => true,
    ...differing,
  };
}

const without = (...words: string[]) => ({ works: (command: readonly string[]) => !words.some(word => command.includes(word)) });

test('a running process has what is claimed and no more', async t => {
  const bench = sandboxBench(t);
  await bench.load('a', 'exports.default = { createContainer() {} };');
  await bench.sandbox.idle();
  const { pid, holds } = bench.sandbox.state();
  const proc = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'latin1');
  const status = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(proc('status'))?.[1]?.trim();
  const limit = (name: string) => new RegExp(`^${name} +(\\S+) +(\\S+)`, 'm').exec(proc('limits'))?.slice(1, 3);

  assert.equal(proc('environ'), '');
  const files = readdirSync(`/proc/${pid}/fd`).map(fd => readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/:.*/, ''));
  assert.deepEqual(
    new Set(files.filter(file => !['anon_inode', 'pipe', 'socket'].includes(file))),
    new Set(['/dev/null']),
    'no file is open, and nothing of ours',
  );
  const user = String(holds.user);
  assert.deepEqual(status('Uid')?.split('\t'), [user, user, user, user]);
  if (process.getuid?.() === 0) {
    assert.notEqual(holds.user, 0);
    assert.deepEqual(status('Gid')?.split('\t'), [user, user, user, user]);
    assert.equal(status('Groups'), '');
    // Where not everybody may read the package, the process changes its user by itself, and keeps what that takes in its bounding set.
    if (holds.diesWithHost) assert.equal(status('CapBnd'), '0000000000000000');
  }
  if (holds.noCapabilities) for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb']) assert.equal(status(set), '0000000000000000', set);
  if (holds.noNewPrivileges) assert.equal(status('NoNewPrivs'), '1');
  if (holds.limits) {
    assert.deepEqual(limit('Max core file size'), ['0', '0']);
    assert.deepEqual(limit('Max file size'), ['0', '0']);
    assert.deepEqual(limit('Max open files'), ['64', '64']);
    assert.equal(proc('oom_score_adj').trim(), '1000');
    if (holds.user >= 0x7000_0000) assert.deepEqual(limit('Max processes'), ['64', '64']);
  }
  if (holds.noNetwork) assert.notEqual(readlinkSync(`/proc/${pid}/ns/net`), readlinkSync('/proc/self/ns/net'));
});

test('of what a machine does not let us do, nothing is claimed, and the process starts', () => {
  const holds = (differing: Partial<Surroundings>): Partial<Confinement['holds']> => confine(machine(differing)).holds;
  const nothing = { limits: false, noNetwork: false, noNewPrivileges: false, noCapabilities: false, diesWithHost: false };
  const all = { limits: true, noNetwork: true, noNewPrivileges: true, noCapabilities: true, diesWithHost: true };
  const own = { user: 1_900_000_000 };
  assert.deepEqual(holds({}), { ...all, ...own });
  assert.deepEqual(holds({ find: () => undefined }), { ...nothing, ...own }, 'no tool at all: Node changes the user');
  assert.deepEqual(holds(without('--net')), { ...all, ...own, noNetwork: false });
  assert.deepEqual(holds(without('--pdeathsig=KILL')), { ...all, ...own, diesWithHost: false });
  assert.deepEqual(holds(without('--bounding-set=-all', '--pdeathsig=KILL')), {
    ...nothing,
    ...own,
    limits: true,
    noNetwork: true,
    noNewPrivileges: true,
  });
  assert.deepEqual(holds(without('--reuid=1900000000')), { ...all, user: 65534 }, 'a user namespace without that id');
  assert.deepEqual(holds(without('--reuid=1900000000', '--reuid=65534')), { ...all, user: 0 }, 'a user namespace with root alone');
  assert.deepEqual(holds({ user: 1000, capabilities: 0n, ...without('--bounding-set=-all') }), {
    ...all,
    user: 1000,
    noCapabilities: false,
  });
});

test('the user is not changed when the host could not end a process of another one', () => {
  const { dropTo, holds, prefix } = confine(machine({ capabilities: everything & ~(1n << 5n) }));
  assert.deepEqual([dropTo, holds.user, prefix.includes('--clear-groups')], [undefined, 0, false]);
});

test('what only root may read is read before the user is changed', () => {
  const { dropTo, holds } = confine(machine({ readable: false }));
  assert.deepEqual([dropTo, holds.user, holds.noNewPrivileges], [1_900_000_000, 1_900_000_000, true]);
});

test('threads are limited where the user id is the process own', () => {
  const script = (differing: Partial<Surroundings>) => confine(machine(differing)).prefix[2]!;
  assert.match(script({}), /ulimit -u 64/);
  assert.doesNotMatch(script({ user: 1000, capabilities: 0n }), /ulimit -u/);
  assert.doesNotMatch(script(without('--reuid=1900000000')), /ulimit -u/);
});

test('a process that hangs does not outlive the host', async t => {
  const host = spawn(process.execPath, [fileURLToPath(new URL('./orphan.fixture.ts', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => host.kill('SIGKILL'));
  const [line] = await once(host.stdout, 'data');
  const { pid, diesWithHost } = JSON.parse(String(line));
  if (!diesWithHost) {
    process.kill(pid, 'SIGKILL');
    t.skip('nothing on this machine provides for it');
    return;
  }
  host.kill('SIGKILL');
  const state = () => {
    try {
      return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    } catch {
      return 'gone';
    }
  };
  await eventually(state, seen => seen === 'gone' || seen === 'Z');
});
