/**
 * Packages that scripts can import besides their own files.
 *
 * A script is compiled with a facade in the package's place. The package itself crosses into the sandbox process once: there it does what gives
 * plain data in plain cases, compiled and warm, and it is evaluated inside a script's own context only for all the rest.
 */
import { build } from 'esbuild';

export const libraryNames = ['yaml'] as const;
export type LibraryName = (typeof libraryNames)[number];

export function isLibrary(name: string): name is LibraryName {
  return libraryNames.some(each => each === name);
}

const calls: Record<LibraryName, { outside: string[]; inside: string[] }> = {
  yaml: { outside: ['parse'], inside: ['stringify', 'parseDocument', 'parseAllDocuments'] },
};

/** What a package offers to scripts. */
export function callsOf(name: LibraryName): string[] {
  return [...calls[name].outside, ...calls[name].inside];
}

/** The module that scripts import; `__libraries` is what the sandbox hands to a script's body (src/sandbox/prelude.ts). */
export function facadeOf(name: LibraryName): string {
  const { outside, inside } = calls[name];
  return [
    `const whole = () => __libraries.whole(${JSON.stringify(name)});`,
    ...outside.map(
      each =>
        `export function ${each}(...args) { const found = __libraries.${name}(args); return found === undefined ? whole().${each}(...args) : found[0]; }`,
    ),
    ...inside.map(each => `export function ${each}(...args) { return whole().${each}(...args); }`),
    `export default { ${callsOf(name).join(', ')} };`,
  ].join('\n');
}

/** The package as one classic script body that fills `module.exports`. */
export async function librarySource(name: LibraryName): Promise<string> {
  const result = await build({
    stdin: { contents: `export * from '${name}'`, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    minify: true,
    format: 'cjs',
    platform: 'browser',
    target: 'es2024',
    logLevel: 'silent',
  });
  return result.outputFiles[0]!.text;
}
