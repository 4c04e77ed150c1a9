/**
 * Packages that scripts import, once per sandbox process. A fresh context runs a large package cold, which takes milliseconds; here it is warm.
 * So what gives plain data from a text is done here, and its result crosses as text; all else a script's own context does, with its own copy.
 */
import { compileFunction } from 'node:vm';

export type Libraries = {
  /** Evaluates it, too: its code is ours. */
  add(name: string, source: string): void;
  /** The code of a function body that fills `module.exports`; '' for a package that is not there. */
  source(name: string): string;
  /**
   * What `yaml`'s parse gives, as JSON; '' when that is an error, comes with a warning or is not exactly what JSON says: then the caller has to
   * do it. `argument`: options as JSON or nothing, a line feed, the text.
   */
  yaml(argument: string): string;
};

type Yaml = {
  parseDocument(text: string, options: object): { errors: unknown[]; warnings: unknown[]; toJS(): unknown } | null;
};

/** Longer texts are for the script's own time and memory: some take the parser quadratic time. UTF-16 units. */
const longestText = 2 << 10;
/** Longer results are for the script as well: aliases make much of little. */
const longestResult = 64 << 10;
/** Options that only choose between ways to read a text. */
const plainOptions = ['version', 'schema', 'merge', 'strict', 'uniqueKeys', 'prettyErrors'];
/** What is kept of texts and results, UTF-16 units: containers of one deployment bring the same texts. */
const maxKept = 256 << 10;

export function createLibraries(): Libraries {
  const sources = new Map<string, string>();
  const kept = new Map<string, string>();
  let keptLength = 0;
  let evaluated: Yaml | undefined;

  function yaml(): Yaml | undefined {
    const source = sources.get('yaml');
    if (!evaluated && source !== undefined) evaluated = evaluate(source) as Yaml;
    return evaluated;
  }

  function parsed(argument: string): string {
    const end = argument.indexOf('\n');
    const options = end > 0 ? (JSON.parse(argument.slice(0, end)) as Record<string, unknown>) : {};
    if (!Object.entries(options).every(([name, value]) => plainOptions.includes(name) && typeof value !== 'object')) return '';
    const document = yaml()?.parseDocument(argument.slice(end + 1), options);
    if (!document || document.errors.length > 0 || document.warnings.length > 0) return '';
    const value = document.toJS();
    const result = isPlain(value, new Set()) ? JSON.stringify(value) : '';
    return result.length > longestResult ? '' : result;
  }

  return {
    add(name, source) {
      sources.set(name, source);
      // The first text takes ten times as long as the second: better now than in an event.
      for (let n = 0; name === 'yaml' && n < 3; n++) parsed(`{"version":"1.1"}\n- a: "${n}"\n  b: [1, true]\n`);
    },
    source: name => sources.get(name) ?? '',
    yaml(argument) {
      if (argument.length > longestText || !sources.has('yaml')) return '';
      let result = kept.get(argument);
      if (result !== undefined) return result;
      try {
        result = parsed(argument);
      } catch {
        result = '';
      }
      keptLength += argument.length + result.length;
      if (keptLength > maxKept) {
        kept.clear();
        keptLength = argument.length + result.length;
      }
      kept.set(argument, result);
      return result;
    },
  };
}

function evaluate(source: string): unknown {
  const module = { exports: {} };
  compileFunction(source, ['module', 'exports'])(module, module.exports);
  return module.exports;
}

/** Whether JSON gives the same back: no other types, no object twice. */
function isPlain(value: unknown, seen: Set<object>): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || seen.has(value)) return false;
  seen.add(value);
  if (Array.isArray(value)) return value.every(entry => isPlain(entry, seen));
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(entry => isPlain(entry, seen));
}
