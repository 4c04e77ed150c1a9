/** What `run` can be told: by flags, by NRI's plugin configuration, by a configuration file; the first that says something counts. */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { checkPermissions, ScriptProblem } from '../scripts/index.ts';
import { CliError } from './cli-error.ts';

export type RunOptions = {
  socket: string;
  scripts: string;
  state: string;
  index: string;
  name: string;
  logFile: string | undefined;
  logLevel: string;
};

type Partly = Partial<RunOptions>;

const defaults: RunOptions = {
  socket: '/var/run/nri/nri.sock',
  scripts: '/etc/nri-scripts/scripts.d',
  state: '/var/lib/nri-scripts',
  index: '50',
  name: 'nri-scripts',
  logFile: undefined,
  logLevel: 'info',
};

export const defaultConfigFile = '/etc/nri-scripts/config.yaml';

export const runUsage = `nri-scripts run: connect to the runtime and run the scripts of a directory

Usage: nri-scripts run [options]

  --socket PATH      NRI's socket (${defaults.socket})
  --scripts DIR      scripts and their settings (${defaults.scripts})
  --state DIR        what scripts keep, nri.state (${defaults.state})
  --index NN         two digits: this plugin's place among others (${defaults.index})
  --name NAME        this plugin's name (${defaults.name})
  --config FILE      YAML with socket, scripts, state, index, name, logFile, logLevel (${defaultConfigFile} if it exists)
  --log-file FILE    append the log to a file instead of stderr; SIGHUP opens it anew
  --log-level LEVEL  debug, info, warn or error (${defaults.logLevel})

A flag counts before the configuration that the runtime hands to a plugin it launches, and that before the file. The runtime launches
whatever executable stands in its plugin directory: link it there as NN-NAME and it needs no flags.

Examples:
  nri-scripts run --scripts ./scripts.d --log-level debug
  ln -s "$(command -v nri-scripts)" /opt/nri/plugins/50-nri-scripts
`;

/** Reads flags. Undefined when help was asked for. */
export function parseFlags(args: string[]): { flags: Partly; config: string | undefined } | undefined {
  let values: Record<string, string | boolean | undefined>;
  try {
    const text = { type: 'string' } as const;
    ({ values } = parseArgs({
      args,
      options: {
        socket: text,
        scripts: text,
        state: text,
        index: text,
        name: text,
        config: text,
        'log-file': text,
        'log-level': text,
        help: { type: 'boolean', short: 'h' },
      },
    }));
  } catch (error) {
    throw new CliError('USAGE', `${(error as Error).message.split('. ')[0]}; "nri-scripts run --help" lists the options`);
  }
  if (values['help']) return undefined;
  const { config, 'log-file': logFile, 'log-level': logLevel, help: _, ...rest } = values;
  const flags = checked(
    { ...rest, ...(logFile !== undefined && { logFile }), ...(logLevel !== undefined && { logLevel }) },
    key => `--${dashed(key)}`,
  );
  for (const key of ['socket', 'scripts', 'state', 'logFile'] as const) if (flags[key] !== undefined) flags[key] = resolve(flags[key]);
  return { flags, config: config as string | undefined };
}

/** Reads a configuration file; the default one may be missing. */
export function readConfigFile(path: string | undefined): Partly {
  let text: string;
  try {
    text = readFileSync(path ?? defaultConfigFile, 'utf8');
    checkPermissions(path ?? defaultConfigFile);
  } catch (error) {
    if (path === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    if (error instanceof ScriptProblem) throw new CliError('CONFIG_UNSAFE', error.message);
    throw new CliError('CONFIG_UNREADABLE', `${path ?? defaultConfigFile} cannot be read: ${(error as Error).message}`);
  }
  return parseConfig(text, basename(path ?? defaultConfigFile));
}

/** Reads the YAML of a configuration file or of NRI's plugin configuration (fact C6). */
export function parseConfig(text: string, file: string): Partly {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new CliError('CONFIG_SYNTAX', `${file}: ${(error as Error).message}`);
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new CliError('CONFIG_INVALID', `${file}: expected keys such as scripts: or logLevel:`);
  return checked(value as Record<string, unknown>, key => `${file}: ${key}`);
}

/** The options that hold: earlier ones count first. */
export function combine(...layers: Partly[]): RunOptions {
  return Object.assign({}, defaults, ...layers.toReversed());
}

const checks: { [Key in keyof RunOptions]: [RegExp, string] } = {
  socket: [/^[^\0]+$/, 'a path'],
  scripts: [/^[^\0]+$/, 'a path'],
  state: [/^[^\0]+$/, 'a path'],
  index: [/^\d\d$/, 'two digits, 00 to 99'],
  name: [/^[A-Za-z0-9_.+-]+$/, 'letters, digits and _ . + -'],
  logFile: [/^[^\0]+$/, 'a path'],
  logLevel: [/^(debug|info|warn|error)$/, 'debug, info, warn or error'],
};

function checked(values: Record<string, unknown>, where: (key: string) => string): Partly {
  const result: Partly = {};
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const check = Object.hasOwn(checks, key) ? checks[key as keyof RunOptions] : undefined;
    if (!check) throw new CliError('CONFIG_INVALID', `${where(key)}: no such setting; there are ${Object.keys(checks).join(', ')}`);
    const [pattern, expected] = check;
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text !== 'string' || !pattern.test(text))
      throw new CliError('CONFIG_INVALID', `${where(key)}: expected ${expected}, got ${JSON.stringify(value)}`);
    result[key as keyof RunOptions] = text;
  }
  return result;
}

function dashed(key: string): string {
  return key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}
