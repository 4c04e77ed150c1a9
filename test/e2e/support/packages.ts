/** The Debian packages that the tests run, unpacked into the cache and never installed. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { output } from './command.ts';
import { withLock } from './lock.ts';
import { openPrivateApt } from './private-apt.ts';

/** Kept between runs and ignored by git; may be removed at any time that no test runs. */
export const cacheFolder = resolve(import.meta.dirname, '../../../.cache/e2e');

/**
 * Versions that the tests were written with, so that a failure is ours and not a new version's. When a suite has moved on, its newest
 * is taken and said.
 */
const pinned = {
  containerd17: { name: 'containerd', suite: 'trixie', version: '1.7.24~ds1-6+deb13u1' },
  containerd2: { name: 'containerd', suite: 'forky', version: '2.1.9+ds1-5' },
  // Newer suites' runc needs a newer glibc than Debian 12 has. It needs libseccomp2, which apt itself depends on.
  runc: { name: 'runc', suite: 'bookworm', version: '1.1.5+ds1-1+deb12u1' },
  busybox: { name: 'busybox-static', suite: 'bookworm', version: '1:1.35.0-4+deb12u1+b1' },
  criApi: { name: 'golang-github-kubernetes-cri-api-dev', suite: 'trixie', version: '0.32.3-1' },
  nriApi: { name: 'golang-github-containerd-nri-dev', suite: 'forky', version: '0.8.0-1' },
};

/** A package of a Debian suite, in the version that the tests were written with. */
export type Pinned = { name: string; suite: string; version: string };

/** One unpacked package. */
export type Package = {
  /** Debian's version of what is there. */
  version: string;
  /** Absolute path of a file of the package, given as it would stand below `/`. */
  path(file: string): string;
};

export type Packages = Record<keyof typeof pinned, Package>;

/** Fetches what the cache lacks; one run at a time. */
export function preparePackages(): Promise<Packages> {
  return unpackPackages(cacheFolder, pinned);
}

/** As {@link preparePackages}, for other packages in a cache of their own. */
export async function unpackPackages<Key extends string>(cache: string, wanted: Record<Key, Pinned>): Promise<Record<Key, Package>> {
  const all: Pinned[] = Object.values(wanted);
  const missing = () => all.filter(one => !existsSync(folderOf(cache, one)));
  if (missing().length > 0) {
    await mkdir(cache, { recursive: true });
    await withLock(join(cache, 'lock'), () => fetchPackages(cache, missing()));
  }
  const entries = Object.entries<Pinned>(wanted).map(async ([key, one]) => {
    const folder = folderOf(cache, one);
    const version = await readFile(join(folder, 'version'), 'utf8');
    return [key, { version, path: (file: string) => join(folder, 'files', file) }];
  });
  return Object.fromEntries(await Promise.all(entries));
}

function folderOf(cache: string, { name, suite, version }: Pinned): string {
  return join(cache, 'packages', `${name}_${version.replace(':', '%3a')}_${suite}`);
}

async function fetchPackages(cache: string, wanted: Pinned[]): Promise<void> {
  if (wanted.length === 0) return;
  await mkdir(join(cache, 'packages'), { recursive: true });
  // Whatever stands here is of a run that was interrupted: we hold the lock.
  for (const name of await readdir(cache)) {
    if (name.startsWith('fetch-')) await rm(join(cache, name), { recursive: true });
  }
  const work = await mkdtemp(join(cache, 'fetch-'));
  try {
    say(`fetching ${wanted.map(one => one.name).join(', ')} from Debian into ${cache}`);
    const apt = await openPrivateApt(join(work, 'apt'), [...new Set(wanted.map(one => one.suite))]);
    for (const [index, one] of wanted.entries()) {
      const folder = join(work, String(index));
      await mkdir(join(folder, 'files'), { recursive: true });
      const version = await apt.download(one.name, one.suite, one.version, folder);
      if (version !== one.version) say(`Debian ${one.suite} has ${one.name} ${one.version} no longer: the tests run ${version}`);
      const archive = (await readdir(folder)).find(file => file.endsWith('.deb'))!;
      await output('dpkg', ['-x', join(folder, archive), join(folder, 'files')]);
      await rm(join(folder, archive));
      await writeFile(join(folder, 'version'), version);
      await rename(folder, folderOf(cache, one));
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Standard error of a test file stays visible with every reporter. */
function say(text: string): void {
  process.stderr.write(`packages: ${text}\n`);
}
