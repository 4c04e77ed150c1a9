/**
 * The scripts that are in force: compiled, probed in a sandbox, in order. A file that is broken, or becomes so, keeps its last good
 * version running; what changed is exchanged as a whole between two events.
 */
import { createHash } from 'node:crypto';
import { type Compiled, compile, releaseCompiler } from './compile.ts';
import { discover, fileSignature, fingerprint, type ScriptFile, settingsWithoutScript } from './discover.ts';
import { type LibraryName, librarySource } from './libraries.ts';
import { type Matcher, matcherOf } from './match.ts';
import { checkPermissions } from './permissions.ts';
import { type Positions, positionsOf } from './positions.ts';
import { ScriptProblem } from './problem.ts';
import { defaultSettings, readSettings, type Settings } from './settings.ts';

/** A compiled version of a script, with its settings. */
export type ScriptVersion = {
  /** Name and hash of code, positions and settings. */
  id: string;
  name: string;
  code: string;
  /** Packages that it imports, by name: their code (libraries.ts). */
  libraries: Readonly<Record<string, string>>;
  settings: Settings;
  positions: Positions;
  /** By the settings' `match`. */
  matches: Matcher;
};

export type ActiveScript = ScriptVersion & { handlers: readonly string[] };

export type ScriptStoreOptions = {
  /** Absolute. */
  directory: string;
  /** Names that `allow` takes. */
  grants: readonly string[];
  /** Evaluates a version's top level in a sandbox; the handlers that it defines, or throws ScriptProblem. */
  probe(version: ScriptVersion): Promise<readonly string[]>;
  /** A new set is in force; `gone` are versions that no longer run. Called between probing and return of {@link ScriptStore.refresh}. */
  onChange(active: readonly ActiveScript[], change: ScriptsChange): void;
  /** Something cannot be used; once per state of the files. `kept`: an earlier version goes on. */
  onProblem(problem: ScriptProblem, kept: boolean): void;
};

export type ScriptsChange = { added: string[]; changed: string[]; removed: string[]; gone: ActiveScript[]; micros: number };

export type ScriptStore = {
  /** Looks at the directory; does nothing when it is as it was. Calls that overlap are carried out one after the other. */
  refresh(): Promise<void>;
  active(): readonly ActiveScript[];
};

type Entry = {
  /** State of the files that this was made from. */
  signature: string;
  version: ActiveScript | undefined;
  inputs: string[];
  /** What is wrong with the files; then they are tried again at every change, as the fault may lie in another file. */
  problem: string | undefined;
};

const compilesAtOnce = 8;

type Ahead = {
  /** The file's own state before it was read, and what it compiles to. */
  of(file: ScriptFile): { own: string; compiled: Promise<Compiled> };
  settled(): Promise<unknown>;
};

export function createScriptStore(options: ScriptStoreOptions): ScriptStore {
  const { directory, grants, onProblem } = options;
  const sources = new Map<LibraryName, string>();
  let entries = new Map<string, Entry>();
  let active: readonly ActiveScript[] = [];
  let lonely: string[] = [];
  let seen: string | undefined;
  let queue: Promise<void> = Promise.resolve();

  function tellLonely(names: string[]): void {
    for (const name of names.filter(each => !lonely.includes(each))) {
      const text = `${name}: there is no script of this name, so these settings hold for nothing: name it as the script that it is for`;
      onProblem(new ScriptProblem('SETTINGS_WITHOUT_SCRIPT', name, text), false);
    }
    lonely = names;
  }

  async function refresh(): Promise<void> {
    const now = fingerprint(directory);
    if (now === seen) return;
    const started = process.hrtime.bigint();
    seen = now;
    let files: ScriptFile[];
    try {
      files = discover(directory);
      checkPermissions(directory);
      tellLonely(settingsWithoutScript(directory, files));
    } catch (error) {
      onProblem(asProblem(error, directory, 'SCRIPTS_DIRECTORY_UNREADABLE'), active.length > 0);
      return;
    }
    const next = new Map<string, Entry>();
    const changed = files.filter(file => {
      const before = entries.get(file.name);
      return !before || before.problem !== undefined || before.signature !== signatureOf(file, before.inputs);
    });
    const ahead = compileAhead(changed);
    for (const file of files) {
      const before = entries.get(file.name);
      next.set(file.name, before && !changed.includes(file) ? before : await renew(file, before, ahead));
    }
    if (changed.length === 0) return exchange(next, started);
    await ahead.settled();
    await releaseCompiler();
    exchange(next, started);
  }

  async function sourcesOf(names: readonly LibraryName[]): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const name of names) {
      const source = sources.get(name) ?? (await librarySource(name));
      sources.set(name, source);
      found[name] = source;
    }
    return found;
  }

  /** Compiles these in order, some at a time, as they are asked for. */
  function compileAhead(files: readonly ScriptFile[]): Ahead {
    const started: { own: string; compiled: Promise<Compiled> }[] = [];
    return {
      of(file) {
        const index = files.indexOf(file);
        for (let next = started.length; next < Math.min(files.length, index + compilesAtOnce); next++) {
          const own = ownSignature(files[next]!);
          const compiled = compile(directory, files[next]!.path);
          compiled.catch(() => {});
          started.push({ own, compiled });
        }
        return started[index]!;
      },
      settled: () => Promise.allSettled(started.map(({ compiled }) => compiled)),
    };
  }

  async function renew(file: ScriptFile, before: Entry | undefined, ahead: Ahead): Promise<Entry> {
    let inputs = before?.inputs ?? [];
    // As it is before the file is read: a change after that shows at the next look.
    const { own, compiled: compiling } = ahead.of(file);
    try {
      checkPermissions(file.path);
      if (file.settingsPath) checkPermissions(file.settingsPath);
      const settings = file.settingsPath ? readSettings(file.settingsPath, grants) : defaultSettings;
      const compiled = await compiling;
      inputs = compiled.inputs;
      for (const input of inputs) checkPermissions(input);
      const version = versionOf(file, compiled, await sourcesOf(compiled.libraries), settings);
      const same = before?.version?.id === version.id;
      const handlers = same ? before!.version!.handlers : settings.disabled ? [] : await options.probe(version);
      return {
        signature: signatureOf(file, inputs, own),
        version: same ? before!.version : { ...version, handlers },
        inputs,
        problem: undefined,
      };
    } catch (error) {
      const problem = asProblem(error, file.name, 'SCRIPT_UNREADABLE');
      if (problem.message !== before?.problem) onProblem(problem, before?.version !== undefined);
      return { signature: signatureOf(file, inputs, own), version: before?.version, inputs, problem: problem.message };
    }
  }

  function exchange(next: Map<string, Entry>, started: bigint): void {
    const old = active;
    entries = next;
    active = [...next.values()].flatMap(entry => (entry.version && !entry.version.settings.disabled ? [entry.version] : []));
    const had = new Map(old.map(script => [script.name, script]));
    const has = new Map(active.map(script => [script.name, script]));
    const change: ScriptsChange = {
      added: active.filter(script => !had.has(script.name)).map(script => script.name),
      changed: active.filter(script => had.has(script.name) && had.get(script.name) !== script).map(script => script.name),
      removed: old.filter(script => !has.has(script.name)).map(script => script.name),
      gone: old.filter(script => has.get(script.name) !== script),
      micros: Number((process.hrtime.bigint() - started) / 1000n),
    };
    if (change.added.length + change.changed.length + change.removed.length > 0) options.onChange(active, change);
  }

  return {
    refresh() {
      queue = queue.then(refresh);
      return queue;
    },
    active: () => active,
  };
}

function versionOf(file: ScriptFile, compiled: Compiled, libraries: Record<string, string>, settings: Settings): ScriptVersion {
  const hash = createHash('sha256').update(compiled.code).update(compiled.map).update(JSON.stringify(settings)).digest('hex').slice(0, 12);
  return {
    id: `${file.name}@${hash}`,
    name: file.name,
    code: compiled.code,
    libraries,
    settings,
    positions: positionsOf(file.name, compiled.map),
    matches: matcherOf(settings.match),
  };
}

function signatureOf(file: ScriptFile, inputs: string[], own = ownSignature(file)): string {
  const others = inputs.filter(path => path !== file.path);
  return [own, ...others.map(fileSignature)].join('\n');
}

function ownSignature({ path, settingsPath }: ScriptFile): string {
  return `${fileSignature(path)}\n${settingsPath ? fileSignature(settingsPath) : ''}`;
}

function asProblem(error: unknown, where: string, code: ScriptProblem['code']): ScriptProblem {
  if (error instanceof ScriptProblem) return error;
  return new ScriptProblem(code, where, `${where}: ${error instanceof Error ? error.message : String(error)}`);
}
