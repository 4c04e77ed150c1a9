/** The cases of two plugins' answers one by one: upstream's runtime side and the embedded runtime come to the same, each through a socket. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Container, connectPlugin, createCodec, type EventResponse, eventMaskBase } from '../../src/nri/index.ts';
import { type EmbeddedRuntime, startRuntime } from '../../src/testing/index.ts';
import { compact, container, type MergeCase, mergeCases, type Outcome } from '../testing/merge-cases.ts';
import { createCleanup, temporaryFolder } from './support/cleanup.ts';
import { type Judge, type ProtoJson, startJudge, type Verdict } from './support/judge.ts';
import { prepareJudge } from './support/judge-program.ts';
import { pod } from './support/node.ts';

const ids = ['10-A', '20-B'] as const;
const cleanup = createCleanup();
const answers = new Map<string, EventResponse>();
const others: Container[] = [{ ...container('ctr1'), podSandboxId: pod().id, state: 'CONTAINER_RUNNING' }];
let judge: Judge;
let embedded: EmbeddedRuntime;

before(async () => {
  const folder = temporaryFolder(cleanup.add);
  judge = await startJudge(cleanup.add, await prepareJudge());
  embedded = await startRuntime({ socketPath: `${folder}/nri.sock`, nriVersion: '0.8.0', pods: [pod()], containers: others });
  cleanup.add(() => embedded.stop());
  for (const socketPath of [judge.socketPath, embedded.socketPath]) for (const id of ids) connect(socketPath, id);
  await judge.plugins(ids.length);
  for (const id of ids) await embedded.waitForPlugin(id);
});
after(cleanup.run);

function connect(socketPath: string, id: string): void {
  const connection = connectPlugin({
    endpoint: { path: socketPath },
    name: id.slice(3),
    index: id.slice(0, 2),
    codec: createCodec(),
    handlers: {
      configure: () => ({ events: eventMaskBase }),
      synchronize: () => undefined,
      event: name => (/^(create|update|stop)Container$/.test(name) ? answers.get(id) : undefined),
    },
  });
  cleanup.add(() => connection.close());
}

async function upstream({ call, requested = {} }: MergeCase): Promise<Verdict> {
  const request = { pod: pod(), container: subject() };
  if (call === 'create') return judge.call('createContainer', request);
  if (call === 'stop') return judge.call('stopContainer', request);
  return judge.call('updateContainer', { ...request, linuxResources: requested });
}

/** In upstream's notation. */
async function here({ call, requested = {} }: MergeCase): Promise<Verdict> {
  const own = subject();
  try {
    if (call === 'create') {
      const { adjust, update } = await embedded.createContainer(pod(), own);
      return { result: await print({ adjust, update }) };
    }
    const given = new Map(answers);
    answers.clear();
    await embedded.createContainer(pod(), own);
    for (const [id, answer] of given) answers.set(id, answer);
    const { update } = call === 'stop' ? await stop(own) : await embedded.updateContainer(own, requested);
    return { result: await print({ update }) };
  } catch (error) {
    return { error: (error as Error).message };
  } finally {
    answers.clear();
    if (embedded.containers().some(({ id }) => id === own.id)) await embedded.removeContainer(own);
  }
}

/** A failed stop is only logged, as containerd does: the event itself shows its error. */
async function stop(own: Container): Promise<{ update: NonNullable<EventResponse['update']> }> {
  const { update } = await embedded.stopContainer(own);
  return { update };
}

const subject = (): Container => ({ ...container('ctr0'), podSandboxId: pod().id });
const print = (response: EventResponse) => judge.print('CreateContainerResponse', response);

for (const given of mergeCases) {
  const differs = JSON.stringify(given.before010) !== JSON.stringify(given.expected);
  test(`${given.name}${differs ? ` (0.8 ${summary(given.before010)}, v0.12.2 ${summary(given.expected)})` : ''}`, async () => {
    answers.set('10-A', given.a).set('20-B', given.b);
    const expected = 'error' in given.before010 ? given.before010 : { result: await print(given.before010) };
    const real = await upstream(given);
    assert.deepEqual(comparable(real), comparable(expected), 'upstream');
    if (given.call === 'stop' && real.error !== undefined) return;
    assert.deepEqual(comparable(await here(given)), comparable(expected), 'the embedded runtime');
  });
}

function comparable({ result, error }: Verdict): unknown {
  return error === undefined ? compact({ adjust: result?.['adjust'] as ProtoJson, update: result?.['update'] as ProtoJson[] }) : { error };
}

function summary(outcome: Outcome): string {
  return 'error' in outcome ? `"${outcome.error.replace(/^.* both tried/, 'both tried')}"` : JSON.stringify(compact(outcome));
}
