/** A folder for one test, removed after it; its files are given by relative path. */
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

export type Folder = {
  path: string;
  write(files: Record<string, string>): void;
  /** As editors and `install` do it: a new file takes the old one's place. */
  replace(name: string, text: string): void;
  remove(name: string): void;
};

export function folder(t: TestContext, files: Record<string, string> = {}): Folder {
  const path = mkdtempSync(join(tmpdir(), 'nri-scripts-test-'));
  chmodSync(path, 0o755);
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const write = (all: Record<string, string>) => {
    for (const [name, text] of Object.entries(all)) {
      mkdirSync(dirname(join(path, name)), { recursive: true, mode: 0o755 });
      writeFileSync(join(path, name), text, { mode: 0o644 });
    }
  };
  write(files);
  return {
    path,
    write,
    replace(name, text) {
      write({ [`.${name}.swp`]: text });
      renameSync(join(path, `.${name}.swp`), join(path, name));
    },
    remove: name => rmSync(join(path, name), { recursive: true }),
  };
}
