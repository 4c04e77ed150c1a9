/**
 * The race against plugins of upstream's kind: see bench/README.md.
 *
 *     npm run bench:peers [-- --rounds N] [--only 1,10] [--quick] [--json FILE]
 */
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type RaceOptions, race } from './race.ts';
import { table } from './table.ts';

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const { values } = parseArgs({ options: { rounds: text, only: text, quick: flag, json: text } });

const prefix = 'nri-peers-';
const folder = ownFolder() ?? restart();
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)));

const options: RaceOptions = {
  rounds: Number(values.rounds ?? (values.quick ? 2 : 5)),
  counts: (values.only ?? '1,10,50').split(',').map(Number),
  containers: values.quick ? 40 : 120,
};
if (![options.rounds, ...options.counts].every(number => Number.isInteger(number) && number > 0 && number <= 100)) {
  throw new Error('--rounds and --only take numbers from 1 to 100');
}
const result = await race(options, folder, stop.signal, line => process.stderr.write(`${line}\n`));
if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
console.log(table(result));

/** The folder that `restart` has made; undefined before it. */
function ownFolder(): string | undefined {
  const place = dirname(process.execPath);
  return basename(place).startsWith(prefix) ? place : undefined;
}

/**
 * Goes on as a process of a copy of this Node, in a new folder: otherwise it would share the program's pages with nri-scripts, whose
 * proportional set size would be less by that.
 */
function restart(): never {
  const place = mkdtempSync(join(tmpdir(), prefix));
  // The sandbox's own user has to come to the package.
  chmodSync(place, 0o755);
  const node = join(place, 'node');
  copyFileSync(process.execPath, node);
  process.execve!(node, [node, ...process.execArgv, ...process.argv.slice(1)], process.env);
  throw new Error('execve returned');
}
