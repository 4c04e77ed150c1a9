/** The rounds: both sides in turn, with each number of plugins and scripts. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Programs, preparePrograms } from './programs.ts';
import { requestSize } from './runtime.ts';
import { type Figures, type Measured, measure, measureIdle, type StartSide, type Track } from './session.ts';
import { startGoPlugins, startNriScripts } from './sides.ts';

export type RaceOptions = {
  rounds: number;
  /** Numbers of Go plugins, and of scripts. */
  counts: number[];
  /** Of each replay. */
  containers: number;
};

export type Pair = { go: Figures; us: Figures };

export type Round = {
  /** By the number of plugins and scripts. */
  pairs: Record<number, Pair>;
  /** What a script costs that does not match, in microseconds. */
  idle: number;
};

export type RaceResult = {
  nriVersion: string;
  requestBytes: number;
  options: RaceOptions;
  rounds: Round[];
  /** Most processes that shared nri-scripts' Node while its memory was measured. */
  strangers: number;
};

/** Two numbers of scripts that do not match: the difference is what so many more cost. */
const idleCounts = [1, 50] as const;

/** Works in `folder`. Ends all and rejects when the signal is given. Fails when the sides do not change containers alike. Tells each step to `say`. */
export async function race(options: RaceOptions, folder: string, signal: AbortSignal, say: (line: string) => void): Promise<RaceResult> {
  const { counts, containers } = options;
  const programs = await preparePrograms(folder, Math.max(...counts));
  const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  aborted.catch(() => {});
  const track: Track = { program: programs.runtime, containers, aborted };
  const rounds: Round[] = [];
  let strangers = 0;
  let sessions = 0;
  const nextFolder = () => {
    signal.throwIfAborted();
    return join(folder, `session-${sessions++}`);
  };
  for (let number = 1; number <= options.rounds; number++) {
    const pairs: Record<number, Pair> = {};
    for (const count of counts) {
      const measured = {} as Record<keyof Pair, Measured>;
      for (const name of number % 2 === 1 ? (['us', 'go'] as const) : (['go', 'us'] as const)) {
        measured[name] = await measure(track, startOf(name, programs, count), nextFolder());
      }
      const { us, go } = measured;
      assert.deepEqual(us.adjustment, go.adjustment, `${count} scripts change a container otherwise than ${count} Go plugins do`);
      strangers = Math.max(strangers, us.strangers);
      pairs[count] = { us: us.figures, go: go.figures };
      say(`round ${number}, ${count}: p50 5 ms apart ${us.figures.spacedP50.toFixed(0)} µs, Go ${go.figures.spacedP50.toFixed(0)} µs`);
    }
    const [few, many] = idleCounts;
    const idle: number[] = [];
    for (const count of idleCounts) {
      const start: StartSide = (socketPath, place) => startNriScripts(programs.nriScripts, count, false, socketPath, place);
      idle.push(await measureIdle(track, start, nextFolder()));
    }
    rounds.push({ pairs, idle: (idle[1]! - idle[0]!) / (many - few) });
  }
  return { nriVersion: programs.nriVersion, requestBytes: requestSize(), options, rounds, strangers };
}

function startOf(side: keyof Pair, programs: Programs, count: number): StartSide {
  return side === 'go'
    ? (socketPath, folder) => startGoPlugins(programs.plugins.slice(0, count), socketPath, folder)
    : (socketPath, folder) => startNriScripts(programs.nriScripts, count, true, socketPath, folder);
}
