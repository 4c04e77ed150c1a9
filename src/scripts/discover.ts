/** Which scripts are in the directory: the files whose names say so, in byte order, each with its settings file. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ScriptProblem } from './problem.ts';

export type ScriptFile = {
  /** File name, and the script's name everywhere. */
  name: string;
  path: string;
  /** The settings file beside it, if there is one. */
  settingsPath: string | undefined;
};

const extension = /\.(ts|mts|js|mjs)$/;

/** Dot files, declarations, and what editors leave behind are no scripts. */
export function isScriptName(name: string): boolean {
  return extension.test(name) && !/\.d\.m?ts$/.test(name) && !/^[.#~_]/.test(name);
}

/** The directory's scripts in byte order of their names, which is the order in which they run. */
export function discover(directory: string): ScriptFile[] {
  const names = new Set(list(directory));
  const scripts = [...names].filter(name => isScriptName(name) && isFile(join(directory, name)));
  scripts.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return scripts.map(name => {
    const stem = name.replace(extension, '');
    const settings = [`${stem}.yaml`, `${stem}.yml`].find(each => names.has(each));
    return { name, path: join(directory, name), settingsPath: settings && join(directory, settings) };
  });
}

/** Settings files that belong to no script: what they say, a guard's `onError: fail` for example, holds for nothing. */
export function settingsWithoutScript(directory: string, scripts: readonly ScriptFile[]): string[] {
  const stems = new Set(scripts.map(({ name }) => name.replace(extension, '')));
  return list(directory).filter(name => /\.ya?ml$/.test(name) && !/^[.#~_]/.test(name) && !stems.has(name.replace(/\.ya?ml$/, '')));
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new ScriptProblem(
        'SCRIPTS_DIRECTORY_MISSING',
        directory,
        `${directory} does not exist: create it, or name another with --scripts`,
      );
    }
    throw new ScriptProblem('SCRIPTS_DIRECTORY_UNREADABLE', directory, `${directory} cannot be read: ${message}`);
  }
}

/** A link whose target is gone, or a directory, is no script. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/**
 * What the directory holds, down to the files that scripts import, as one text: unequal texts mean that something changed. Hidden
 * entries count with their link targets only, as Kubernetes swaps `..data`.
 */
export function fingerprint(directory: string): string {
  const lines: string[] = [];
  const walk = (folder: string, depth: number) => {
    let entries: string[];
    try {
      entries = readdirSync(folder).sort();
    } catch {
      return;
    }
    for (const entry of entries) {
      if (entry === 'node_modules' || entry.startsWith('.')) continue;
      const path = join(folder, entry);
      lines.push(fileSignature(path));
      if (depth < 4 && statSync(path, { throwIfNoEntry: false })?.isDirectory()) walk(path, depth + 1);
    }
  };
  lines.push(fileSignature(directory));
  walk(directory, 0);
  return lines.join('\n');
}

/** Says which version of a file this is, without reading it. */
export function fileSignature(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  if (!stats) return `${path} -`;
  return `${path} ${stats.dev}:${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}
