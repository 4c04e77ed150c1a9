import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { compiledPackage } from '../support/compiled-package.ts';
import { folder } from '../support/folder.ts';

test('the compiled package runs, with only the files that npm packs and its dependencies behind a link', t => {
  const printed = execFileSync(compiledPackage(folder(t).path), ['demo'], { encoding: 'utf8' });
  assert.match(printed, /calls answered, 0 late, 0 failed/);
});
