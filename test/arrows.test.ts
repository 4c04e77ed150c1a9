import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { test } from 'node:test';

/** Which folders of src/ a folder may import from. */
const allowed: Record<string, string[]> = {
  ttrpc: [],
  compose: [],
  nri: ['ttrpc'],
  sandbox: ['compose'],
  scripts: [],
  host: ['scripts', 'sandbox', 'compose', 'nri'],
  testing: ['nri', 'ttrpc', 'host'],
  cli: ['host', 'testing', 'scripts', 'nri'],
};

const src = resolve(import.meta.dirname, '../src');

function* imports(): Generator<{ from: string; to: string; where: string }> {
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(join(src, file), 'utf8');
    for (const [, target] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)) {
      const path = relative(src, resolve(dirname(join(src, file)), target!));
      if (path.startsWith('..')) continue;
      yield { from: file.split(sep)[0]!, to: path.split(sep)[0]!, where: `src/${file} imports ${target}` };
    }
  }
}

test('folders import only along the arrows', () => {
  const all = [...imports()];
  assert.ok(all.length > 0);
  for (const { from, to, where } of all) {
    if (from !== to) assert.ok(allowed[from]?.includes(to), where);
  }
});
