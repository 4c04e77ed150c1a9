/** Who else could change what we run: sshd's StrictModes for the scripts directory. */
import { accessSync, constants, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ScriptProblem } from './problem.ts';

/**
 * Throws SCRIPTS_UNSAFE_PERMISSIONS when anyone but root and our own user could write to the file or directory, or replace it by way
 * of a directory above it. A sticky directory (/tmp) above is fine, and so is anything on a read-only mount: there the mode bits say
 * nothing (a Kubernetes ConfigMap volume is mode 0777).
 */
export function checkPermissions(path: string): void {
  const real = realpathSync(path);
  refuseUnsafe(real, statSync(real), false);
  for (let above = dirname(real), child = real; above !== child; child = above, above = dirname(above)) {
    refuseUnsafe(above, statSync(above), true);
  }
}

function refuseUnsafe(path: string, stats: Stats, isAbove: boolean): void {
  const writable = stats.mode & 0o022;
  const sticky = isAbove && (stats.mode & 0o1000) !== 0;
  const foreign = stats.uid !== 0 && stats.uid !== process.geteuid?.();
  if (!foreign && (!writable || sticky)) return;
  if (onReadOnlyMount(path)) return;
  const what = foreign ? `is owned by user ${stats.uid}` : `can be written by ${writable & 0o002 ? 'everybody' : 'its group'}`;
  const remedy = foreign ? `chown root ${path}` : `chmod go-w ${path}`;
  throw new ScriptProblem('SCRIPTS_UNSAFE_PERMISSIONS', path, `${path} ${what}, so others could change what runs here: ${remedy}`);
}

function onReadOnlyMount(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}
