/** What the end-to-end tests need of the machine. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The programs that the tests call; all are in packages that every Debian has (util-linux, dpkg, apt, tar, mount, bash). */
const programs = ['apt-get', 'apt-cache', 'dpkg', 'flock', 'unshare', 'nsenter', 'mount', 'tar', 'bash'];

/** Throws E2E_REQUIREMENTS with everything that is missing: without it the tests fail, they are not skipped. */
export function checkRequirements(): void {
  const missing = [...missingParts()];
  if (missing.length === 0) return;
  const error = new Error(
    `the end-to-end tests run real containerds and cannot do so here:\n${missing.map(line => `  - ${line}`).join('\n')}`,
  );
  throw Object.assign(error, { code: 'E2E_REQUIREMENTS', stack: undefined });
}

function* missingParts(): Generator<string> {
  if (process.platform !== 'linux') {
    yield `they need Linux, this is ${process.platform}`;
    return;
  }
  if (process.geteuid?.() !== 0) yield 'they need root (for namespaces, mounts and cgroups): run them with sudo or in a virtual machine';
  const os = osRelease();
  if (os['ID'] !== 'debian' || !(Number(os['VERSION_ID'] ?? Number.POSITIVE_INFINITY) >= 12))
    yield `they need Debian 12 or newer (containerd comes from Debian's packages), this is ${os['PRETTY_NAME'] ?? 'something else'}`;
  if (process.arch !== 'x64' && process.arch !== 'arm64') yield `they need amd64 or arm64, this is ${process.arch}`;
  for (const program of programs) if (!onPath(program)) yield `there is no ${program} on PATH`;
}

function osRelease(): Record<string, string> {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').matchAll(/^(\w+)="?(.*?)"?$/gm);
    return Object.fromEntries([...lines].map(([, key, value]) => [key!, value!]));
  } catch {
    return {};
  }
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
