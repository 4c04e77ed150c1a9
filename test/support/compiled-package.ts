/** The package as npm installs it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** Compiles it into a folder, with only the files that npm packs and the dependencies behind a link; the path of its program. */
export function compiledPackage(folder: string): string {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')]);
  for (const part of ['package.json', ...files.filter(each => each !== 'dist')]) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  // The sandbox's own user has to come to it.
  chmodSync(folder, 0o755);
  return join(folder, 'bin/nri-scripts');
}
