/** Tells when something in the scripts directory may have changed. What changed is for the store to find out. */
import { watch } from 'chokidar';

export type Watcher = { close(): Promise<void> };

/** Editors write in several steps; this long after the last sign it is looked at, milliseconds. */
const quiet = 40;
/** But never later than this after the first sign. */
const patience = 300;
/**
 * chokidar is the fast path. It says nothing of Kubernetes' exchange of `..data` (the links in the directory stay the same), and some file
 * systems say nothing at all: so look by ourselves, too. A look at 50 scripts takes about a millisecond.
 */
const pollEvery = 500;

/** Calls `onSign` soon after any change below the directory, which need not exist yet. Calls do not overlap. */
export function watchScripts(directory: string, onSign: () => Promise<void>): Watcher {
  let timer: NodeJS.Timeout | undefined;
  let firstSign = 0;
  let busy = false;
  let again = false;

  async function look(): Promise<void> {
    timer = undefined;
    firstSign = 0;
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      do {
        again = false;
        await onSign();
      } while (again);
    } finally {
      busy = false;
    }
  }

  function sign(): void {
    const now = Date.now();
    firstSign ||= now;
    clearTimeout(timer);
    timer = setTimeout(look, Math.min(quiet, Math.max(0, firstSign + patience - now)));
  }

  const watcher = watch(directory, { ignoreInitial: true, depth: 4, ignored: path => /\/node_modules(\/|$)/.test(path) });
  watcher.on('all', sign);
  watcher.on('error', sign);
  const poll = setInterval(look, pollEvery);
  return {
    async close() {
      clearTimeout(timer);
      clearInterval(poll);
      await watcher.close();
    },
  };
}
