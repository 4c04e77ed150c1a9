/** Programs of the system, run to their end. */
import { execFile } from 'node:child_process';
import { basename } from 'node:path';

/** Standard output of a program that must succeed; what it wrote to standard error is in the Error when it does not. */
export function output(program: string, args: string[], cwd?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { ...(cwd !== undefined && { cwd }), env: { ...process.env, LC_ALL: 'C.UTF-8' }, maxBuffer: 64 << 20 };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${basename(program)} ${args.join(' ')}: ${stderr.trim() || error.message}`));
      else resolve(stdout);
    });
  });
}
