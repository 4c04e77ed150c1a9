/** Cgroups as the kernel shows them, of either version (cgroups(7)). */
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';

type Hierarchy = { point: string; version: 1 | 2; controllers: string[] };

/** One container's cgroup. */
export type Cgroup = {
  /** A file such as `pids.max`, without the line's end, in the hierarchy that has the controller. */
  read(file: string): string;
  /** Microseconds of CPU time in a period; -1 without a limit (cpu.cfs_quota_us, or cpu.max of version 2). */
  cpuQuota(): number;
  /** Microseconds (cpu.cfs_period_us, or cpu.max). */
  cpuPeriod(): number;
  /** Bytes; version 1 shows the largest multiple of the page size below 2^63 for "no limit", version 2 `max` (here undefined). */
  memoryLimit(): bigint | undefined;
  /** The CPUs that it may use, as a list such as `0-1`; empty for its parent's. */
  cpus(): string;
};

/** The cgroup with this path below the hierarchies' roots (OCI linux.cgroupsPath, without systemd). */
export function cgroupAt(path: string): Cgroup {
  const mounted = hierarchies();
  const of = (controller: string) =>
    mounted.find(one => one.version === 1 && one.controllers.includes(controller)) ?? mounted.find(one => one.version === 2);
  function read(file: string): string {
    const hierarchy = of(file.split('.')[0]!);
    if (!hierarchy) throw new Error(`no cgroup hierarchy has a controller for ${file}`);
    return readFileSync(join(hierarchy.point, path, file), 'utf8').trimEnd();
  }
  const isOld = (controller: string) => of(controller)?.version === 1;
  const cpuMax = (index: 0 | 1) => read('cpu.max').split(' ')[index]!;
  return {
    read,
    cpuQuota() {
      if (isOld('cpu')) return Number(read('cpu.cfs_quota_us'));
      return cpuMax(0) === 'max' ? -1 : Number(cpuMax(0));
    },
    cpuPeriod: () => Number(isOld('cpu') ? read('cpu.cfs_period_us') : cpuMax(1)),
    memoryLimit() {
      const text = read(isOld('memory') ? 'memory.limit_in_bytes' : 'memory.max');
      return text === 'max' ? undefined : BigInt(text);
    },
    cpus: () => read('cpuset.cpus'),
  };
}

/** Folders with this path in any hierarchy. */
export function cgroupFolders(path: string): string[] {
  return hierarchies()
    .map(({ point }) => join(point, path))
    .filter(folder => existsSync(folder));
}

/** Removes the cgroups with this path and below, once their processes are gone. */
export async function removeCgroups(path: string): Promise<void> {
  for (const folder of cgroupFolders(path))
    await eventually(
      () => removed(folder),
      problem => problem === undefined,
    );
}

/** What was in the way, or undefined. */
function removed(folder: string): string | undefined {
  try {
    const below = readdirSync(folder, { withFileTypes: true, recursive: true }).filter(entry => entry.isDirectory());
    const deepestFirst = below.map(entry => join(entry.parentPath, entry.name)).sort((a, b) => b.length - a.length);
    for (const each of [...deepestFirst, folder]) rmdirSync(each);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

function hierarchies(): Hierarchy[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.flatMap(line => {
    // proc_pid_mountinfo(5): the mount point is the fifth field; type and options of the superblock follow the lone hyphen.
    const [place = '', kind = ''] = line.split(' - ');
    const [type, , options = ''] = kind.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') return [];
    return [{ point: place.split(' ')[4]!, version: type === 'cgroup' ? 1 : 2, controllers: options.split(',') }];
  });
}
