/**
 * The two sides of a comparison, each before a judge of its own: `apart`, three hosts with one script each, and `together`, one host with the
 * three scripts.
 *
 * A script returns what the event brings for it in an annotation of the pod: so that hosts live as long as the test file, and an event costs
 * milliseconds.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { grants } from '../../../src/compose/index.ts';
import { createHost, type EventReport, type Host } from '../../../src/host/index.ts';
import { type Container, connectPlugin, createCodec, type LinuxResources, type PodSandbox } from '../../../src/nri/index.ts';
import { type Cleanup, temporaryFolder } from './cleanup.ts';
import { type Judge, startJudge, type Verdict } from './judge.ts';
import { type JudgeProgram, prepareJudge } from './judge-program.ts';
import { containerWith, pod } from './node.ts';
import { within } from './within.ts';

/** File names without `.js`, and the plugins' `NN-name`. */
export const scriptNames = ['10-a', '11-b', '12-c'] as const;

/** What the scripts return, in their order; undefined is nothing. */
export type Results = readonly unknown[];

export type Side = {
  judge: Judge;
  /** Of the last event of each host that had a ledger or problems. */
  reports: EventReport[];
  create(container: Container, results: Results): Promise<Verdict>;
  update(container: Container, resources: LinuxResources, results: Results): Promise<Verdict>;
  stop(container: Container, results: Results): Promise<Verdict>;
  /** Makes a container known, and forgets it. */
  introduce(container: Container): Promise<void>;
  forget(container: Pick<Container, 'id'>): Promise<void>;
  /** With the reports of all events so far in `reports`. */
  settled(): Promise<void>;
};

export type Sides = { apart: Side; together: Side; both: readonly [Side, Side] };

const codec = createCodec();
const patience = 60_000;

export async function startSides(cleanup: Cleanup): Promise<Sides> {
  const program = await prepareJudge();
  // One after the other: the compiler is one for all hosts of a process, and a host that is done with it ends it under the others' hands.
  const plugins = scriptNames.map(name => ({ id: name, scripts: [name] }));
  const apart = await startSide(cleanup, program, plugins);
  const together = await startSide(cleanup, program, [{ id: '10-together', scripts: scriptNames }]);
  return { apart, together, both: [apart, together] };
}

async function startSide(
  cleanup: Cleanup,
  program: JudgeProgram,
  plugins: ReadonlyArray<{ id: string; scripts: readonly string[] }>,
): Promise<Side> {
  const judge = await startJudge(cleanup, program);
  const reports: EventReport[] = [];
  const hosts: Host[] = [];
  for (const { id, scripts } of plugins) hosts.push(await connectHost(cleanup, judge, id, scripts, reports));
  await judge.plugins(hosts.length);
  const settled = async () => void (await Promise.all(hosts.map(host => host.settled())));

  return {
    judge,
    reports,
    settled,
    create: (container, results) => judge.call('createContainer', { pod: podWith(results), container }),
    update: (container, resources, results) =>
      judge.call('updateContainer', { pod: podWith(results), container, linuxResources: resources }),
    stop: (container, results) => judge.call('stopContainer', { pod: podWith(results), container }),
    async introduce(container) {
      await judge.call('stateChange', { event: 'POST_CREATE_CONTAINER', pod: pod(), container });
    },
    async forget({ id }) {
      await judge.call('stateChange', { event: 'REMOVE_CONTAINER', pod: pod(), container: containerWith({ id }) });
    },
  };
}

async function connectHost(cleanup: Cleanup, judge: Judge, id: string, scripts: readonly string[], reports: EventReport[]): Promise<Host> {
  const folder = temporaryFolder(cleanup);
  chmodSync(folder, 0o755);
  for (const name of scripts) {
    writeFileSync(join(folder, `${name}.js`), scriptText(name));
    // A busy machine is not to be mistaken for a slow script.
    writeFileSync(join(folder, `${name}.yaml`), `allow: [${grants.join(', ')}]\ntimeout: 5000\n`);
  }
  const state = join(temporaryFolder(cleanup), 'state');
  const logger = pino({ level: 'silent' });
  const host = createHost({ scripts: folder, state, logger, onReport: report => reports.push(report) });
  cleanup(() => within(patience, `the end of the host of ${id}`, host.close()));
  await within(patience, `the scripts of ${id} to be compiled and probed`, host.ready());
  const connection = connectPlugin({
    endpoint: { path: judge.socketPath },
    name: id.slice(3),
    index: id.slice(0, 2),
    codec,
    handlers: host.handlers,
  });
  cleanup(() => within(patience, `the end of the connection of ${id}`, connection.close()));
  return host;
}

function scriptText(name: string): string {
  return `
const revive = (key, value) => (value !== null && typeof value === 'object' && '$integer' in value ? BigInt(value.$integer) : value);
const write = (key, value) => (typeof value === 'bigint' ? { $integer: String(value) } : value);
function answer({ pod, container, linuxResources }) {
  const text = pod.annotations['result/${name}'];
  if (text === 'echo') return { adjust: { annotations: { echo: JSON.stringify({ pod, container, linuxResources }, write) } } };
  return text === undefined ? undefined : JSON.parse(text, revive);
}
export default { createContainer: answer, updateContainer: answer, stopContainer: answer };
`;
}

/** A pod that tells each script what to return. */
export function podWith(results: Results): PodSandbox {
  const annotations = scriptNames.flatMap((name, index) => {
    const result = results[index];
    return result === undefined ? [] : [[`result/${name}`, typeof result === 'string' ? result : textOf(result)]];
  });
  return pod({ annotations: Object.fromEntries(annotations) });
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? { $integer: String(part) } : part));
}
