/** One runtime side of upstream's, in a process of its own (test/upstream/judge). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Container, createCodec, type MessageName, type Messages, type PodSandbox } from '../../../src/nri/index.ts';
import { type Cleanup, temporaryFolder } from './cleanup.ts';
import type { JudgeProgram } from './judge-program.ts';
import { within } from './within.ts';

/** A message in protojson: 64-bit integers are strings, Optional* messages are objects, what has its default is left out. */
export type ProtoJson = { [name: string]: unknown };

/** `seen` is what upstream's own plugin got after all others: the container, or an update's resources. */
export type Verdict = { result?: ProtoJson; seen?: ProtoJson; error?: string };

type Call = 'createContainer' | 'updateContainer' | 'stopContainer' | 'stateChange';
type CallMessage = {
  createContainer: 'CreateContainerRequest';
  updateContainer: 'UpdateContainerRequest';
  stopContainer: 'StopContainerRequest';
  stateChange: 'StateChangeEvent';
};

export type Told = { log: string[]; synchronized: ProtoJson[]; unsolicited: ProtoJson[] };

export type JudgedNode = {
  pods?: PodSandbox[];
  containers?: Container[];
  /** Default 20 s both: the machine may be busy. */
  requestTimeoutMs?: number;
  registrationTimeoutMs?: number;
  /** The containers whose unsolicited updates fail. */
  failing?: string[];
};

type Command = { do: string; [argument: string]: unknown };

export type Judge = {
  socketPath: string;
  /** What upstream said and wanted done since the last time that it was asked. */
  told(): Promise<Told>;
  /** Resolves when this many plugins are in service. */
  plugins(count: number): Promise<void>;
  call<Name extends Call>(name: Name, request: Messages[CallMessage[Name]]): Promise<Verdict>;
  /** The same with a request in protojson, which our own codec has no part in. */
  callWith(name: Call, request: ProtoJson): Promise<Verdict>;
  /** What upstream reads in a message that our codec wrote. */
  print<Name extends MessageName>(name: Name, message: Messages[Name]): Promise<ProtoJson>;
  /** What upstream reads in bytes. */
  printBytes(name: MessageName, bytes: Uint8Array): Promise<ProtoJson>;
};

const codec = createCodec();
/** Longer than the judge itself waits for anything. */
const patience = 60_000;

export async function startJudge(cleanup: Cleanup, { path }: JudgeProgram, node: JudgedNode = {}): Promise<Judge> {
  const socketPath = join(temporaryFolder(cleanup), 'nri.sock');
  const program = spawn(path, [socketPath], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(program, 'exit');
  const waiting: Array<PromiseWithResolvers<Verdict>> = [];
  createInterface({ input: program.stdout }).on('line', line => waiting.shift()?.resolve(JSON.parse(line)));
  exited.then(() => {
    for (const each of waiting.splice(0)) each.reject(new Error('the judge has ended'));
  });
  cleanup(async () => {
    program.stdin.end();
    await within(patience, "the judge's end", exited).finally(() => program.kill('SIGKILL'));
  });

  function send(command: Command): Promise<Verdict> {
    const answer = Promise.withResolvers<Verdict>();
    waiting.push(answer);
    program.stdin.write(`${JSON.stringify(command)}\n`);
    return within(patience, `the judge's answer to ${command.do}`, answer.promise);
  }

  async function sendSure(command: Command): Promise<Verdict> {
    const verdict = await send(command);
    if (verdict.error !== undefined) throw new Error(verdict.error);
    return verdict;
  }

  await sendSure({
    do: 'start',
    pods: (node.pods ?? []).map(pod => bytesOf('PodSandbox', pod)),
    containers: (node.containers ?? []).map(container => bytesOf('Container', container)),
    requestTimeout: node.requestTimeoutMs ?? 20_000,
    registrationTimeout: node.registrationTimeoutMs ?? 20_000,
    failing: node.failing ?? [],
  });
  return {
    socketPath,
    async told() {
      const { log, synchronized, unsolicited } = (await sendSure({ do: 'told' })).result as { [Name in keyof Told]: Told[Name] | null };
      return { log: log ?? [], synchronized: synchronized ?? [], unsolicited: unsolicited ?? [] };
    },
    plugins: async count => void (await sendSure({ do: 'wait', plugins: count })),
    call: (name, request) => send({ do: name, request: bytesOf(messageOf(name), request) }),
    callWith: (name, request) => send({ do: name, json: request }),
    printBytes: async (name, bytes) =>
      (await sendSure({ do: 'print', message: name, request: Buffer.from(bytes).toString('base64') })).result!,
    print: async (name, message) => (await sendSure({ do: 'print', message: name, request: bytesOf(name, message) })).result!,
  };
}

function messageOf<Name extends Call>(name: Name): CallMessage[Name] {
  return (name === 'stateChange' ? 'StateChangeEvent' : `${name[0]!.toUpperCase()}${name.slice(1)}Request`) as CallMessage[Name];
}

function bytesOf<Name extends MessageName>(name: Name, message: Messages[Name]): string {
  return Buffer.from(codec.encode(name, message)).toString('base64');
}
