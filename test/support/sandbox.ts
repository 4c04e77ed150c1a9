/** A real sandbox with scripts given as source text, for one test. */
import type { TestContext } from 'node:test';
import {
  type LoadResult,
  monotonicNow,
  openSandbox,
  type Sandbox,
  type SandboxEvent,
  type SandboxOptions,
  type ScriptRun,
} from '../../src/sandbox/index.ts';
import type { SandboxScript } from '../../src/sandbox/protocol.ts';

export type Bench = {
  sandbox: Sandbox;
  logs: Array<{ id: string; level: string; text: string; dropped: number }>;
  lost: string[];
  ended: string[];
  lookups: Array<[string, string]>;
  load(name: string, source: string, settings?: Partial<SandboxScript>): Promise<LoadResult>;
  run(scripts: string[], event?: Partial<Omit<SandboxEvent, 'input'>> & { input?: Record<string, unknown> }): Promise<ScriptRun[]>;
};

/** Scripts are written as `exports.default = { … }`: what the compiler makes of `export default`. */
export function sandboxBench(
  t: TestContext,
  answer: (kind: string, argument: string) => string = () => 'null',
  options?: SandboxOptions,
): Bench {
  const bench: Pick<Bench, 'logs' | 'lost' | 'ended' | 'lookups'> = { logs: [], lost: [], ended: [], lookups: [] };
  const sandbox = openSandbox(
    {
      onLog: (id, level, text, dropped) => bench.logs.push({ id, level, text, dropped }),
      onLookup: (_id, kind, argument) => {
        bench.lookups.push([kind, argument]);
        return answer(kind, argument);
      },
      onLost: id => bench.lost.push(id),
      onEnded: reason => bench.ended.push(reason),
    },
    options,
  );
  t.after(() => sandbox.close());
  return {
    ...bench,
    sandbox,
    load: (name, source, settings = {}) =>
      sandbox.load({
        id: name,
        name,
        code: `__define((module, exports, __libraries) => {${source}});`,
        config: 'null',
        timeout: 100,
        memory: 64 << 20,
        allow: [],
        shadow: false,
        ...settings,
      }),
    async run(scripts, { input = { pod: { name: 'p' } }, ...event } = {}) {
      const runs: ScriptRun[] = [];
      await sandbox.run(
        {
          handler: 'createContainer',
          scripts,
          deadline: monotonicNow() + 5000,
          compose: 'none',
          input: () => input,
          ...event,
        },
        run => runs.push(run),
      );
      return runs;
    },
  };
}
