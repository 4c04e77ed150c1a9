/** apt with sources and lists of its own: it downloads packages of other Debian suites, and the system's configuration stays as it is. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { output } from './command.ts';

/** The keys that sign Debian's suites (package debian-archive-keyring). */
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

export type PrivateApt = {
  /** Downloads into `folder`: the pinned version or, when the archive has it no longer, the suite's newest. Resolves to the version. */
  download(name: string, suite: string, pinned: string, folder: string): Promise<string>;
};

/** Reads the package lists of the suites (about 10 MB each) into `folder`, which may be removed afterwards. */
export async function openPrivateApt(folder: string, suites: string[]): Promise<PrivateApt> {
  const sources = join(folder, 'sources.list');
  await mkdir(join(folder, 'lists/partial'), { recursive: true });
  await mkdir(join(folder, 'cache/archives/partial'), { recursive: true });
  const mirror = await debianMirror();
  await writeFile(sources, suites.map(suite => `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`).join(''));
  const settings = {
    'Dir::Etc::SourceList': sources,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    // Debian's container images switch these off; without them every call reads all lists anew.
    'Dir::Cache::PkgCache': 'packages.bin',
    'Dir::Cache::SrcPkgCache': 'sources.bin',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'APT::Sandbox::User': 'root',
  };
  const options = ['-q', ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])];
  await output('apt-get', [...options, 'update', '--error-on=any']);
  return {
    async download(name, suite, pinned, target) {
      const offered = madison(await output('apt-cache', [...options, 'madison', name]));
      const found = offered.find(one => one.version === pinned) ?? offered.find(one => one.suite === suite);
      if (!found) throw new Error(`Debian ${suite} has no package ${name} at ${mirror}`);
      await output('apt-get', [...options, 'download', `${name}=${found.version}`], target);
      return found.version;
    },
  };
}

/** Lines such as `containerd | 2.1.9+ds1-5 | MIRROR forky/main amd64 Packages`, newest version first. */
function madison(text: string): Array<{ version: string; suite: string }> {
  return text.split('\n').flatMap(line => {
    const [, version, origin] = line.split('|').map(part => part.trim());
    const suite = origin?.split(' ')[1]?.split('/')[0];
    return version && suite ? [{ version, suite }] : [];
  });
}

/** The mirror that the system itself uses. */
async function debianMirror(): Promise<string> {
  const targets = await output('apt-get', ['indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages']);
  const lines = targets.split('\n').map(line => line.split(' '));
  const found = lines.find(([uri, release, part]) => part === 'main' && /\bdebian\/?$/.test(uri!) && /^[a-z]+$/.test(release!));
  if (!found) throw new Error("apt's sources name no Debian mirror with the component main: see sources.list(5)");
  return found[0]!;
}
