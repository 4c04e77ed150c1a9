/** A runtime of upstream's (bench/peers/runtime) in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Container, createCodec, type PodSandbox } from '../../src/nri/index.ts';
import { realisticContainer, realisticPod } from '../../src/testing/index.ts';

/** Which events are replayed, and how. */
export type Replay = {
  /** One after the other, each in a pod of its own. */
  containers: number;
  /** No further container is begun after it, so that a slow side does not take the others' time. */
  maxMillis: number;
  /** Idle time between an answer and the next event; 0 is back to back. */
  pauseMicros: number;
  /** CreateContainer alone, instead of all events of a container's life. */
  createOnly?: boolean;
};

export type Run = {
  /** CreateContainer's, in nanoseconds. */
  latencies: number[];
  events: number;
  /** Nanoseconds, pauses included. */
  elapsed: number;
  /** What the plugins together changed in the last container, as protojson. */
  adjustment: unknown;
};

export type Runtime = {
  /** Resolves when so many plugins have been synchronized. */
  synchronized(plugins: number): Promise<void>;
  run(replay: Replay): Promise<Run>;
  end(): Promise<void>;
};

/** What a runtime may take for one answer. Only a hanging plugin takes so long. */
const patienceMs = 120_000;

export async function startRuntime(program: string, socketPath: string): Promise<Runtime> {
  const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const waiting: Array<PromiseWithResolvers<Run>> = [];
  createInterface({ input: child.stdout }).on('line', line => {
    const { error, ...answer } = JSON.parse(line);
    const asked = waiting.shift();
    if (error === undefined) asked?.resolve(answer);
    else asked?.reject(new Error(`the runtime says: ${error}`));
  });
  child.once('exit', () => {
    for (const asked of waiting.splice(0)) asked.reject(new Error('the runtime has ended'));
  });
  child.stdin.on('error', () => {});

  function ask(command: object): Promise<Run> {
    const answer = Promise.withResolvers<Run>();
    waiting.push(answer);
    child.stdin.write(`${JSON.stringify(command)}\n`);
    const timer = setTimeout(() => answer.reject(new Error(`no answer within ${patienceMs} ms: ${JSON.stringify(command)}`)), patienceMs);
    return answer.promise.finally(() => clearTimeout(timer));
  }

  const { pod, container } = replayed();
  const codec = createCodec();
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  await ask({
    do: 'listen',
    socket: socketPath,
    pod: base64(codec.encode('PodSandbox', pod)),
    container: base64(codec.encode('Container', container)),
  });
  return {
    synchronized: async plugins => void (await ask({ do: 'wait', plugins })),
    run: replay => ask({ do: 'run', ...replay }),
    async end() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** The pod and the container that all are copies of; its annotations are of the device injector's documentation. */
export function replayed(): { pod: PodSandbox; container: Container } {
  const plain = realisticPod();
  const annotations = {
    ...plain.annotations,
    'devices.nri.io/container.app': `- path: /dev/fuse
  type: c
  major: 10
  minor: 229
  file_mode: 0666
- path: /dev/accelerator
  type: c
  major: 195
  minor: 3
  uid: 1000
  gid: 1000
`,
    'mounts.nri.io/container.app': `- source: /srv/models
  destination: /models
  type: bind
  options:
    - rbind
    - ro
`,
  };
  const pod = { ...plain, annotations };
  return { pod, container: realisticContainer(pod) };
}

/** Bytes of a CreateContainer request. */
export function requestSize(): number {
  return createCodec().encode('CreateContainerRequest', replayed()).length;
}
