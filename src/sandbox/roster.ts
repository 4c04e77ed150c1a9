/** Which scripts there are to be, and what of them the present sandbox process has. */
import type { SandboxScript } from './protocol.ts';

/** Failures in a row to get a loaded script ready again, after which it is given up. It may have been hit by a kill from outside. */
const maxLosses = 3;
/** From so many on it is tried between events only. The first may have hit it by chance, as when the process is killed from outside. */
const innocentLosses = 2;

export type Roster = {
  /** A script that has been loaded at some time, and is wanted. */
  script(id: string): SandboxScript | undefined;
  scripts(): Iterable<SandboxScript>;
  size(): number;
  /** The process has the script. */
  has(id: string): boolean;
  /** The process has it now. */
  loaded(script: SandboxScript): void;
  /** It could not be made ready again. True when that was once too often: then it is wanted no more. */
  lose(id: string): boolean;
  remove(id: string): void;
  /** Whether an event may wait for the script to be loaded again. */
  mayHoldUp(id: string): boolean;
  /** The script that is to be loaded again first; those that failed at it come last. */
  missing(): SandboxScript | undefined;
  /** These scripts, or all that the process has, need new contexts. */
  age(ids?: Iterable<string>): void;
  /** The scripts that need new contexts; they are taken for having them. */
  takeAged(): string[];
  /** Removed scripts that the process still has. */
  takeRemoved(): string[];
  hasRemoved(): boolean;
  /** The packages of a script that the process lacks; they are taken for being there. */
  takeLibraries(script: SandboxScript): Array<[name: string, source: string]>;
  /** The process has ended. */
  reset(): void;
};

export function createRoster(): Roster {
  const wanted = new Map<string, SandboxScript>();
  const present = new Set<string>();
  const aged = new Set<string>();
  const removed = new Set<string>();
  const libraries = new Set<string>();
  const losses = new Map<string, number>();

  function forget(id: string): void {
    wanted.delete(id);
    losses.delete(id);
  }

  return {
    script: id => wanted.get(id),
    scripts: () => wanted.values(),
    size: () => wanted.size,
    has: id => present.has(id),
    loaded(script) {
      wanted.set(script.id, script);
      present.add(script.id);
      losses.delete(script.id);
    },
    lose(id) {
      const times = (losses.get(id) ?? 0) + 1;
      losses.set(id, times);
      if (times < maxLosses) return false;
      forget(id);
      return true;
    },
    remove(id) {
      forget(id);
      aged.delete(id);
      if (present.delete(id)) removed.add(id);
    },
    mayHoldUp: id => wanted.has(id) && (losses.get(id) ?? 0) < innocentLosses,
    missing() {
      const missing = [...wanted.values()].filter(({ id }) => !present.has(id));
      return missing.find(({ id }) => !losses.has(id)) ?? missing[0];
    },
    age(ids = present) {
      for (const id of ids) aged.add(id);
    },
    takeAged() {
      const ids = [...aged].filter(id => present.has(id));
      aged.clear();
      return ids;
    },
    takeRemoved() {
      const ids = [...removed];
      removed.clear();
      return ids;
    },
    hasRemoved: () => removed.size > 0,
    takeLibraries(script) {
      const lacking = Object.entries(script.libraries ?? {}).filter(([name]) => !libraries.has(name));
      for (const [name] of lacking) libraries.add(name);
      return lacking;
    },
    reset() {
      for (const each of [present, aged, removed, libraries]) each.clear();
    },
  };
}
