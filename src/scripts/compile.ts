/** From an author's file to one classic script for the sandbox: types dropped, relative imports bundled, positions kept in a source map. */
import { statSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { type BuildFailure, build, type Message, type Plugin, stop } from 'esbuild';
import { callsOf, facadeOf, isLibrary, type LibraryName } from './libraries.ts';
import { ScriptProblem } from './problem.ts';

export type Compiled = {
  /** Calls `__define(function (module, exports, __libraries) { … })` once. */
  code: string;
  /** Source map, JSON; its sources are relative to the scripts directory. */
  map: string;
  /** Files that went in, absolute, the script's own first. */
  inputs: string[];
  /** Packages that are to be at hand where it runs. */
  libraries: LibraryName[];
};

/** Largest script with all that it imports, bytes. */
const maxCodeBytes = 2 << 20;
const extensions = ['.ts', '.mts', '.js', '.mjs', '.json'];

/** Compiles one script. Throws ScriptProblem with the place in the author's file. */
export async function compile(directory: string, path: string): Promise<Compiled> {
  const name = basename(path);
  const inputs: string[] = [];
  const libraries = new Set<LibraryName>();
  let result: Awaited<ReturnType<typeof bundle>>;
  try {
    result = await bundle(directory, path, inputs, libraries);
  } catch (error) {
    throw problem((error as Partial<BuildFailure>).errors?.[0], name, error);
  }
  const text = (end: string) => result.outputFiles.find(file => file.path.endsWith(end))!.text;
  const code = text('.js');
  if (code.length > maxCodeBytes)
    throw new ScriptProblem('SCRIPT_TOO_LARGE', name, `${name} is ${code.length} bytes with its imports, at most ${maxCodeBytes}`);
  return { code, map: text('.js.map'), inputs, libraries: [...libraries] };
}

/** Ends esbuild's helper process; the next compile starts it again. */
export async function releaseCompiler(): Promise<void> {
  await stop();
}

function bundle(directory: string, path: string, inputs: string[], libraries: Set<LibraryName>) {
  return build({
    entryPoints: [path],
    absWorkingDir: directory,
    outdir: directory,
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'neutral',
    target: 'es2024',
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    charset: 'utf8',
    tsconfigRaw: {},
    banner: { js: '__define((module, exports, __libraries) => {' },
    footer: { js: '});' },
    logLevel: 'silent',
    plugins: [confine(directory, inputs, libraries)],
  });
}

/** Resolves every import ourselves: files below the directory, `yaml`, nothing else. */
function confine(directory: string, inputs: string[], libraries: Set<LibraryName>): Plugin {
  return {
    name: 'confine',
    setup(builder) {
      builder.onResolve({ filter: /.*/ }, args => {
        if (args.kind === 'entry-point') {
          inputs.push(args.path);
          return { path: args.path };
        }
        if (isLibrary(args.path)) {
          libraries.add(args.path);
          return { path: args.path, namespace: 'library' };
        }
        if (!/^\.\.?\//.test(args.path)) {
          return {
            errors: [{ text: `cannot import '${args.path}': a script can import files of its own directory ('./lib/x.ts') and 'yaml'` }],
          };
        }
        const wanted = resolve(dirname(args.importer), args.path);
        if (!wanted.startsWith(directory + sep)) {
          return { errors: [{ text: `cannot import '${args.path}': it is outside of the scripts directory` }] };
        }
        const found = candidates(wanted).find(candidate => statSync(candidate, { throwIfNoEntry: false })?.isFile());
        if (!found) return { errors: [{ text: `cannot import '${args.path}': there is no ${relative(directory, wanted)}` }] };
        inputs.push(found);
        return { path: found };
      });
      builder.onLoad({ filter: /.*/, namespace: 'library' }, ({ path }) => ({ contents: facadeOf(path as LibraryName), loader: 'js' }));
    },
  };
}

function candidates(path: string): string[] {
  const withoutExtension = path.slice(0, path.length - extname(path).length);
  const typescript = /\.m?js$/.test(path) ? [`${withoutExtension}.ts`, `${withoutExtension}.mts`] : [];
  return [
    path,
    ...typescript,
    ...extensions.map(extension => path + extension),
    ...extensions.map(extension => join(path, `index${extension}`)),
  ];
}

function problem(message: Message | undefined, name: string, error: unknown): ScriptProblem {
  if (!message) return new ScriptProblem('SCRIPT_UNREADABLE', name, `${name}: ${error instanceof Error ? error.message : String(error)}`);
  const { location } = message;
  const missing = /^No matching export in "library:(\w+)" for import "(\w+)"/.exec(message.text);
  const text = missing ? `${missing[1]} has no ${missing[2]} here: it has ${callsOf(missing[1] as LibraryName).join(', ')}` : message.text;
  const where = location ? `${location.file}:${location.line}:${location.column + 1}` : name;
  return new ScriptProblem(text.startsWith('cannot import') ? 'SCRIPT_IMPORT' : 'SCRIPT_SYNTAX', where, `${where}: ${text}`);
}
