/** Upstream's runtime side and the embedded runtime behind one face, to be asked the same. */
import type { Container, EventName, LinuxResources } from '../../../src/nri/index.ts';
import { startRuntime } from '../../../src/testing/index.ts';
import { compact } from '../../testing/merge-cases.ts';
import { type Cleanup, temporaryFolder } from './cleanup.ts';
import { type JudgedNode, type ProtoJson, startJudge } from './judge.ts';
import { prepareJudge } from './judge-program.ts';
import { pod } from './node.ts';

export type RuntimeSide = {
  socketPath: string;
  /** Resolves when so many plugins have come into service. */
  serving(count: number): Promise<void>;
  /** The merged environment, or the error's text. */
  create(container: Container): Promise<string>;
  update(container: Container, resources: LinuxResources): Promise<string>;
  /** Any event as it is: `ok` or the error's text. */
  send(event: EventName, container?: Container): Promise<string>;
  /** What upstream logs of connections that end; sorted, since the last time that it was asked. */
  log(): Promise<string[]>;
  /** The memory limit that a container was last told to have. */
  memoryLimit(id: string): Promise<string | undefined>;
};

export type Sides = Record<'upstream' | 'embedded', (cleanup: Cleanup, node?: JudgedNode) => Promise<RuntimeSide>>;

/** Once for all scenes of a file. */
let program: ReturnType<typeof prepareJudge> | undefined;

const endings = /^(closing plugin|failed to (start|synchronize)|connection to plugin)/;

function told(lines: string[]): string[] {
  return lines.filter(line => endings.test(line) && !line.includes('99-observer')).sort();
}

async function textOf(run: () => Promise<string>): Promise<string> {
  try {
    return await run();
  } catch (error) {
    return (error as Error).message;
  }
}

const environmentOf = (env: ReadonlyArray<{ key: string; value: string }> = []) => env.map(({ key, value }) => `${key}=${value}`).join(' ');

export const sides: Sides = {
  async upstream(cleanup, node = {}) {
    program ??= prepareJudge();
    const judge = await startJudge(cleanup, await program, { pods: [pod()], ...node });
    const limits = new Map<string, string>();
    const lines: string[] = [];
    await judge.told();

    async function listen(): Promise<void> {
      const { log, synchronized, unsolicited } = await judge.told();
      lines.push(...log);
      for (const update of [...synchronized, ...unsolicited]) limits.set(update['containerId'] as string, limitOf(update));
    }

    return {
      socketPath: judge.socketPath,
      serving: judge.plugins,
      async create(container) {
        const { result, error } = await judge.call('createContainer', { pod: pod(), container });
        return error ?? environmentOf((result!['adjust'] as { env?: [] }).env);
      },
      async update(container, linuxResources) {
        const { result, error } = await judge.call('updateContainer', { pod: pod(), container, linuxResources });
        return error ?? JSON.stringify(compact(result!['update'] ?? []));
      },
      async send(event, container) {
        const name = event.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase();
        const request = { pod: pod(), ...(container && { container }) };
        const { error } =
          event === 'stopContainer'
            ? await judge.call('stopContainer', { ...request, container: container! })
            : await judge.call('stateChange', { ...request, event: name });
        return error ?? 'ok';
      },
      async log() {
        await listen();
        return told(lines.splice(0));
      },
      async memoryLimit(id) {
        await listen();
        return limits.get(id);
      },
    };
  },

  async embedded(cleanup, node = {}) {
    const lines: string[] = [];
    let served = 0;
    const { failing = [], ...options } = node;
    const runtime = await startRuntime({
      socketPath: `${temporaryFolder(cleanup)}/nri.sock`,
      nriVersion: '0.8.0',
      requestTimeoutMs: 20_000,
      registrationTimeoutMs: 20_000,
      pods: [pod()],
      ...options,
      failUpdate: ({ containerId }) => failing.includes(containerId),
      onLog(line) {
        if (/connected and synchronized$/.test(line)) served += 1;
        lines.push(line);
      },
    });
    cleanup(() => runtime.stop());
    return {
      socketPath: runtime.socketPath,
      serving: count => runtime.waitFor(() => served >= count),
      create: container =>
        textOf(async () => {
          const { adjust } = await runtime.createContainer(pod(), container);
          return environmentOf(adjust.env);
        }),
      update: (container, resources) =>
        textOf(async () => {
          const { update } = await runtime.updateContainer(container, resources);
          return JSON.stringify(compact(update));
        }),
      send: (event, container) =>
        textOf(async () => {
          await runtime.sendEvent(event, { pod: pod(), ...(container && { container }) });
          return 'ok';
        }),
      log: async () => told(lines.splice(0)),
      memoryLimit: async id => {
        const limit = runtime.container(id).linux?.resources?.memory?.limit;
        return limit === undefined ? undefined : String(limit);
      },
    };
  },
};

function limitOf(update: ProtoJson): string {
  const { linux } = update as { linux?: { resources?: { memory?: { limit?: { value?: string } } } } };
  return linux?.resources?.memory?.limit?.value ?? '0';
}
