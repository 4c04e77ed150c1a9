/** The race's two Go programs, built with Debian's packages as the judge's of test/upstream is. */
import { constants, cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compiledPackage } from '../../test/support/compiled-package.ts';
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
  /** Path of nri-scripts' program, compiled: with types to take out Node needs more of time and memory. */
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
  return { runtime: runtime.path, plugins, nriScripts: compiledPackage(join(folder, 'package')), nriVersion: runtime.nriVersion };
}

/** Two digits: place and distinction of the nth plugin, and of the nth script. */
export function indexOf(n: number): string {
  return String(n).padStart(2, '0');
}
