/** One run at a time, on one machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Does the work while this process alone holds the lock on the file (flock(1)); waits for whoever holds it. The lock ends with the
 * process however that ends: its holder reads a pipe that closes with us.
 */
export async function withLock<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(holder, 'exit');
  await Promise.race([once(holder.stdout, 'data'), exited.then(() => Promise.reject(new Error(`flock ${file} failed`)))]);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await exited;
  }
}
