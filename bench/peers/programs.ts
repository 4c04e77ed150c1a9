/** The race's two Go programs, built with Debian's packages as the judge's of test/upstream is. */
import { execFileSync } from 'node:child_process';
import { constants, cpSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { prepareGoProgram } from '../../test/upstream/support/judge-program.ts';

/** What upstream's device injector reads its annotations with. */
const yaml = {
  sigsYaml: { name: 'golang-k8s-sigs-yaml-dev', suite: 'forky', version: '1.6.0-1' },
  goYaml: { name: 'golang-gopkg-yaml.v2-dev', suite: 'forky', version: '2.4.4-1' },
};

export type Programs = {
  /** Path of upstream's adaptation, which replays events. */
  runtime: string;
  /** Paths of copies of one plugin: as separate images', their pages are not shared. */
  plugins: string[];
  /** Path of nri-scripts' program. */
  nriScripts: string;
  /** Debian's version of upstream's code. */
  nriVersion: string;
};

/** Fetches and builds what is not in the cache; the plugin's copies go into `folder`. */
export async function preparePrograms(folder: string, copies: number): Promise<Programs> {
  const runtime = await prepareGoProgram(resolve(import.meta.dirname, 'runtime'), 'peers-runtime', yaml);
  const plugin = await prepareGoProgram(resolve(import.meta.dirname, 'plugin'), 'peers-plugin', yaml);
  const plugins = Array.from({ length: copies }, (_, n) => join(folder, `plugin-${indexOf(n)}`));
  for (const copy of plugins) cpSync(plugin.path, copy, { mode: constants.COPYFILE_FICLONE });
  return { runtime: runtime.path, plugins, nriScripts: preparePackage(join(folder, 'package')), nriVersion: runtime.nriVersion };
}

/** nri-scripts as npm installs it, in `folder`: compiled, as a Node that has to take the types out first needs more of time and memory. */
function preparePackage(folder: string): string {
  const root = resolve(import.meta.dirname, '../..');
  for (const part of ['package.json', 'bin', 'proto', 'types']) cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')]);
  return join(folder, 'bin/nri-scripts');
}

/** Two digits: place and distinction of the nth plugin, and of the nth script. */
export function indexOf(n: number): string {
  return String(n).padStart(2, '0');
}
