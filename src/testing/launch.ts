/** Plugins that the runtime starts itself (facts A2, C16, C17). */
import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
import type { Duplex } from 'node:stream';
import type { LaunchedIdentity } from './plugin.ts';

export type LaunchedPlugin = { process: ChildProcess; stream: Duplex };

/** Index and name in a file name `NN-name`. Throws upstream's text. */
export function parsePluginFile(path: string): Pick<LaunchedIdentity, 'index' | 'name'> {
  const file = basename(path);
  const dash = file.indexOf('-');
  if (dash < 0) throw new Error(`invalid plugin name "${file}", idx-pluginname expected`);
  const index = file.slice(0, dash);
  if (index.length !== 2) throw new Error(`invalid plugin index "${index}", must be 2 digits`);
  if (!/^\d\d$/.test(index)) throw new Error(`invalid plugin index "${index}" (not [0-9][0-9])`);
  return { index, name: file.slice(dash + 1) };
}

/** Starts the program with one end of a socket pair as descriptor 3, an environment of three variables, and nothing to read or write. */
export async function launch(path: string, { index, name }: Pick<LaunchedIdentity, 'index' | 'name'>): Promise<LaunchedPlugin> {
  const child = spawn(path, [], {
    env: { NRI_PLUGIN_NAME: name, NRI_PLUGIN_IDX: index, NRI_PLUGIN_SOCKET: '3' },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', cause => reject(new Error(`failed to launch plugin "${index}-${name}": ${cause.message}`, { cause })));
  });
  return { process: child, stream: child.stdio[3] as Duplex };
}
