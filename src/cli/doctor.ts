/** `nri-scripts doctor`: what holds on this machine, and what does not. */
import { resolve } from 'node:path';
import { examine, type Finding } from '../host/index.ts';
import { combine, parseFlags, readConfigFile } from './run-options.ts';

const usage = `nri-scripts doctor: try out what protects the node, and what the plugin needs

Usage: nri-scripts doctor [--socket PATH] [--scripts DIR] [--state DIR] [--config FILE]

Exits with 0 when everything holds. Run it as the plugin will run: as root, with the same flags.
`;

const marks: Record<Finding['verdict'], string> = { yes: 'ok  ', no: 'NO  ', note: 'note' };

export async function doctor(args: string[]): Promise<number> {
  const parsed = parseFlags(args);
  if (!parsed) {
    process.stdout.write(usage);
    return 0;
  }
  const { socket, scripts, state } = combine(parsed.flags, readConfigFile(parsed.config));
  let wrong = 0;
  await examine({ socket: resolve(socket), scripts: resolve(scripts), state: resolve(state) }, ({ verdict, text }) => {
    if (verdict === 'no') wrong += 1;
    process.stdout.write(`${marks[verdict]}  ${text}\n`);
  });
  process.stdout.write(wrong === 0 ? '\neverything holds\n' : `\n${wrong} of these do not hold\n`);
  return wrong === 0 ? 0 : 1;
}
