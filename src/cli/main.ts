/** The command line: picks the command. */
import { CliError } from './cli-error.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor.ts';
import { run } from './run.ts';

const usage = `nri-scripts: small TypeScript hooks for containerd and CRI-O, as one NRI plugin

Usage:
  nri-scripts run [options]    connect to the runtime and run the scripts of a directory
  nri-scripts demo             show it at work, against an embedded runtime
  nri-scripts doctor [options] try out what protects the node, and what the plugin needs
  nri-scripts help             this text; "nri-scripts run --help" lists the options

Examples:
  nri-scripts run --scripts ./scripts.d
  nri-scripts run --socket /var/run/nri/nri.sock --log-file /var/log/nri-scripts.log
`;

const commands: Record<string, (args: string[]) => Promise<number>> = { run, demo, doctor };

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  // A runtime launches plugins without arguments (fact A2).
  if (name === undefined && process.env['NRI_PLUGIN_SOCKET'] !== undefined) return run([]);
  const command = commands[name ?? ''];
  if (command) return command(rest);
  const asked = name === undefined || ['help', '--help', '-h'].includes(name);
  process[asked ? 'stdout' : 'stderr'].write(asked ? usage : `nri-scripts: there is no command ${name}\n\n${usage}`);
  return asked ? 0 : 2;
}

// Whoever read what is printed may be gone (`| head`); the node's plugin does not end with whoever read its log.
process.stdout.on('error', () => process.exit());
process.stderr.on('error', () => {});
main(process.argv.slice(2)).then(
  code => {
    process.exitCode = code;
  },
  error => {
    if (error instanceof CliError) process.stderr.write(`nri-scripts: ${error.code}: ${error.message}\n`);
    else process.stderr.write(`nri-scripts: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(error instanceof CliError ? 2 : 1);
  },
);
