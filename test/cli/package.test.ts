import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { folder } from '../support/folder.ts';

const root = resolve(import.meta.dirname, '../..');

test('the compiled package runs, with only the files that npm packs and its dependencies behind a link', t => {
  const { path } = folder(t);
  chmodSync(path, 0o755);
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(path, 'dist')]);
  for (const part of ['package.json', ...manifest.files.filter(each => each !== 'dist')]) {
    cpSync(join(root, part), join(path, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'));
  const printed = execFileSync(join(path, 'bin/nri-scripts'), ['demo'], { encoding: 'utf8' });
  assert.match(printed, /calls answered, 0 late, 0 failed/);
});
