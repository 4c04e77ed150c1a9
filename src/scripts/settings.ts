/** The settings file beside a script: `20-name.yaml` for `20-name.ts`. */
import { readFileSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import { type Document, isScalar, parseDocument, visit } from 'yaml';
import { type Match, readMatch } from './match.ts';
import { ScriptProblem } from './problem.ts';

export type Settings = {
  /** Free form, handed to the script as `nri.config`. */
  config: unknown;
  /** Milliseconds that one event may take. */
  timeout: number;
  /** Bytes. */
  memory: number;
  /** Names of grants, as src/compose knows them. */
  allow: string[];
  mode: 'enforce' | 'shadow';
  /** What a failure of the script means for the runtime's operation: nothing, or that it fails. */
  onError: 'skip' | 'fail';
  /** For which pods and containers it runs; all without it. */
  match: Match | undefined;
  disabled: boolean;
  /** Where the script's own log lines go, beside the log. */
  logFile: string | undefined;
};

export const defaultSettings: Settings = {
  config: undefined,
  timeout: 100,
  memory: 64 << 20,
  allow: [],
  mode: 'enforce',
  onError: 'skip',
  match: undefined,
  disabled: false,
  logFile: undefined,
};

/** Largest settings file, bytes. */
const maxBytes = 256 << 10;

type Reader<Value> = (value: unknown) => Value;

/** Reads and checks a settings file. `grants` are the names that `allow` takes. Throws ScriptProblem. */
export function readSettings(path: string, grants: readonly string[]): Settings {
  const file = basename(path);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ScriptProblem('SETTINGS_UNREADABLE', file, `${file} cannot be read: ${(error as Error).message}`);
  }
  if (text.length > maxBytes) throw new ScriptProblem('SETTINGS_INVALID', file, `${file} is larger than ${maxBytes} bytes`);
  return parseSettings(text, file, grants);
}

/** Checks the text of a settings file. Every error names the file, the key and what it takes. */
export function parseSettings(text: string, file: string, grants: readonly string[]): Settings {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error', stringKeys: true, uniqueKeys: false });
  const [error] = document.errors;
  const wrong = error ? { at: error.pos[0], message: error.message } : repeatedKey(document);
  if (wrong) {
    const before = text.slice(0, wrong.at).split('\n');
    const where = `${file}:${before.length}:${before.at(-1)!.length + 1}`;
    throw new ScriptProblem('SETTINGS_SYNTAX', where, `${where}: ${wrong.message}`);
  }
  const value: unknown = readOrThrow(file, () => document.toJS({ maxAliasCount: 100 }));
  if (value === null || value === undefined) return defaultSettings;
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new ScriptProblem('SETTINGS_INVALID', file, `${file}: expected keys such as config: or timeout:`);
  }
  const readers: { [Key in keyof Settings]: Reader<Settings[Key]> } = {
    config: json,
    timeout: milliseconds,
    memory: bytes,
    allow: oneOrMoreOf(grants),
    mode: oneOf(['enforce', 'shadow'] as const),
    onError: oneOf(['skip', 'fail'] as const),
    match: readMatch,
    disabled: boolean,
    logFile: absolutePath,
  };
  const settings = { ...defaultSettings };
  for (const [key, given] of Object.entries(value)) {
    if (!Object.hasOwn(readers, key)) {
      const known = Object.keys(readers).join(', ');
      throw new ScriptProblem('SETTINGS_INVALID', file, `${file}: ${key}: no such setting; there are ${known}`);
    }
    const read = readers[key as keyof Settings] as Reader<never>;
    settings[key as keyof Settings] = readOrThrow(`${file}: ${key}`, () => read(given)) as never;
  }
  return settings;
}

/** The first key that stands twice in its map. The library's own check takes time that grows with the square of the keys. */
function repeatedKey(document: Document): { at: number; message: string } | undefined {
  let found: { at: number; message: string } | undefined;
  visit(document, {
    Map(_key, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? key.value : key;
        if (seen.has(name) && isScalar(key)) {
          found = { at: key.range?.[0] ?? 0, message: `${String(name)} stands twice` };
          return visit.BREAK;
        }
        seen.add(name);
      }
      return undefined;
    },
  });
  return found;
}

function readOrThrow<Value>(where: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new ScriptProblem('SETTINGS_INVALID', where.split(':')[0]!, `${where}: ${(error as Error).message}`);
  }
}

/** It crosses into the sandbox as JSON. */
function json(given: unknown): unknown {
  try {
    JSON.stringify(given);
  } catch {
    throw new Error('expected what JSON can say, got an alias that contains itself');
  }
  return given;
}

function milliseconds(given: unknown): number {
  const found = typeof given === 'number' ? [given, String(given), 'ms'] : /^(\d+(?:\.\d+)?) ?(ms|s)$/.exec(String(given));
  const value = found ? Number(found[1]) * (found[2] === 's' ? 1000 : 1) : Number.NaN;
  if (!(value >= 1 && value <= 10_000))
    throw new Error(`expected milliseconds, 1 to 10000, or a text like 250ms or 1s, got ${JSON.stringify(given)}`);
  return Math.round(value);
}

const units: Record<string, number> = { Ki: 1 << 10, Mi: 1 << 20, Gi: 1 << 30 };

function bytes(given: unknown): number {
  const found = typeof given === 'number' ? [given, String(given), undefined] : /^(\d+) ?(Ki|Mi|Gi)B?$/.exec(String(given));
  const value = found ? Number(found[1]) * (units[found[2] ?? ''] ?? 1) : Number.NaN;
  if (!(value >= 16 << 20 && value <= 1 << 30)) {
    throw new Error(`expected bytes or a text like 64Mi, from 16Mi to 1Gi, got ${JSON.stringify(given)}`);
  }
  return value;
}

function boolean(given: unknown): boolean {
  if (typeof given !== 'boolean') throw new Error(`expected true or false, got ${JSON.stringify(given)}`);
  return given;
}

function absolutePath(given: unknown): string {
  if (typeof given !== 'string' || !isAbsolute(given)) throw new Error(`expected an absolute path, got ${JSON.stringify(given)}`);
  return given;
}

function oneOf<Value extends string>(values: readonly Value[]): Reader<Value> {
  return given => {
    if (!values.includes(given as Value)) throw new Error(`expected ${values.join(' or ')}, got ${JSON.stringify(given)}`);
    return given as Value;
  };
}

function oneOrMoreOf(values: readonly string[]): Reader<string[]> {
  return given => {
    const list: unknown[] = Array.isArray(given) ? given : [given];
    const wrong = list.find(each => !values.includes(each as string));
    if (wrong !== undefined) throw new Error(`${JSON.stringify(wrong)} cannot be granted; there are ${values.join(', ')}`);
    return list as string[];
  };
}
