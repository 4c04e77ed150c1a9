/**
 * The wire: bytes of a runtime gone mad, at a session of the plugin's. What happens must be one of two things: the session goes on and answers, or
 * it is closed with a coded error. And what it answers must not kill a Go runtime.
 */
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import protobuf from 'protobufjs/minimal.js';
import { createGoReader } from '../../src/nri/go-reader.ts';
import { createCodec, eventMaskFull, NriError, openPluginSession, type PluginHandlers, RefusalError } from '../../src/nri/index.ts';
import { readRequest, writeRequest } from '../../src/ttrpc/envelope.ts';
import { spoil } from './bytes.ts';
import { type Faults, FuzzFailure, pollutedPrototype, shrink, type Target } from './failure.ts';
import { createRandom, type Random } from './random.ts';
import type { Message } from './traffic.ts';

/** What a session gets. */
export type Attack = {
  /** The bytes of frames, in the order in which they are sent; what one entry holds comes in one piece. */
  chunks: Buffer[];
  /** All frames are whole and of the length that they tell: the session must be able to go on. */
  isFramed: boolean;
  /** Whether the runtime reads what the plugin says. */
  reads: boolean;
  handlersSeed: number;
};

const codec = createCodec();
const framesPerSession = 400;

export function wireTarget(traffic: readonly Message[], faults: Faults): Target {
  return {
    name: 'wire',
    unit: 'frames',
    async run(seed) {
      const { attack, messages, frames } = planAttack(createRandom(seed), traffic);
      const wrong = await withstands(attack, faults);
      if (wrong === undefined) return frames;
      const fails = async (chunks: Buffer[]) => (await withstands({ ...attack, chunks }, faults)) !== undefined;
      // Message by message if that is enough: what is left of one would be no message.
      const parts = (await fails(messages)) ? messages : attack.chunks;
      const chunks = parts === messages || !attack.isFramed ? await shrink(parts, fails) : parts;
      throw new FuzzFailure(wrong, JSON.stringify({ ...attack, chunks: chunks.map(chunk => chunk.toString('hex')) }));
    },
  };
}

/** What is wrong with how a session bears an attack; undefined for nothing. */
export async function withstands({ chunks, isFramed, reads, handlersSeed }: Attack, faults: Faults): Promise<string | undefined> {
  faults.take();
  const random = createRandom(handlersSeed);
  const { trunk, said, deadly } = createTrunk(reads);
  const session = openPluginSession({
    stream: trunk,
    name: 'fuzz',
    index: '10',
    codec,
    synchronizeBytesMax: 1 << 20,
    handlers: fickleHandlers(random),
    onError: () => {},
  });
  let reason: unknown;
  session.closed.then(error => {
    reason = error;
  });
  let sent = 0;
  for (const chunk of chunks) {
    if (trunk.destroyed) break;
    trunk.push(chunk);
    if (++sent % 16 === 0 && session.state === 'serving') session.updateContainers([{ containerId: 'c' }]).catch(() => {});
    if (trunk.readableLength > 0 || sent % 8 === 0) await turn();
    if (trunk.readableLength > 8 << 20) break;
  }
  for (let turns = 0; turns < 4; turns++) await turn();
  let wrong: string | undefined;
  if (session.state !== 'closed' && isFramed && reads) {
    said.length = 0;
    trunk.push(probe);
    for (let turns = 0; turns < 20 && !Buffer.concat(said).includes(probeAnswer); turns++) await turn();
    if (!Buffer.concat(said).includes(probeAnswer)) wrong = 'a session that goes on does not answer';
  }
  if (!trunk.destroyed) trunk.push(null);
  for (let turns = 0; turns < 20 && reason === undefined; turns++) await turn();
  session.close();
  await turn();
  if (reason === undefined) wrong ??= 'the session does not end with its connection';
  else if (!(reason instanceof NriError)) wrong ??= `the session ended with ${String(reason)}`;
  trunk.destroy();
  if (deadly.length > 0) wrong ??= `a Go runtime would die of the answer: ${deadly[0]}`;
  const escaped = faults.take();
  if (escaped.length > 0) wrong = `escaped: ${escaped[0] instanceof Error ? escaped[0].stack : String(escaped[0])}`;
  const polluted = pollutedPrototype();
  return polluted ? `${polluted}.prototype was changed` : wrong;
}

/** A request with an even stream id is refused, whatever was before. */
const probe = framed(1, header(0, 0xfffffffe, 1, 0));
/** Connection 1; then, after a length that depends on the words, the stream id. */
const probeAnswer = Buffer.from('fffffffe0200', 'hex');

function createTrunk(reads: boolean): { trunk: Duplex; said: Buffer[]; deadly: string[] } {
  const said: Buffer[] = [];
  const deadly: string[] = [];
  const goReader = createGoReader();
  let rest: Buffer = Buffer.alloc(0);
  const trunk = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (!reads) return;
      said.push(chunk);
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length >= 8 && rest.length >= 8 + rest.readUInt32BE(4)) {
        const [connId, end] = [rest.readUInt32BE(0), 8 + rest.readUInt32BE(4)];
        const fault = goReader.frame(connId, end - 8);
        if (fault) deadly.push(fault.message);
        goReader.bytes(connId, rest.subarray(8, end));
        rest = rest.subarray(end);
      }
      done();
    },
  });
  return { trunk, said, deadly };
}

function fickleHandlers(random: Random): PluginHandlers {
  return {
    configure: () =>
      random.chance(0.1) ? Promise.reject(new Error('fuzz')) : { events: random.chance(0.9) ? eventMaskFull : random.fork() },
    synchronize: ({ containers }) => ({ update: containers.slice(0, 3).map(({ id }) => ({ containerId: id })) }),
    event(_name, _request, call) {
      switch (random.below(6)) {
        case 0:
          throw random.chance(0.5) ? new RefusalError('no') : new Error('fuzz');
        case 1:
          return turn(undefined).then(() => ({
            adjust: { env: [{ key: 'A', value: 'x'.repeat(random.chance(0.1) ? random.below(30_000) : 1) }] },
          }));
        case 2:
          return call.signal.aborted ? undefined : { adjust: { linux: { resources: { cpu: { shares: -1 } } } } };
        case 3:
          return Promise.reject(new TypeError('fuzz'));
        default:
          return undefined;
      }
    },
  };
}

/** `messages` are the same bytes, one whole message in each. */
export type Plan = { attack: Attack; messages: Buffer[]; frames: number };

export function planAttack(random: Random, traffic: readonly Message[]): Plan {
  const isFramed = random.chance(0.7);
  const frames: Buffer[] = [];
  const messages: Buffer[] = [];
  const add = (own: Buffer[]) => {
    frames.push(...own);
    messages.push(Buffer.concat(own));
  };
  let nextStreamId = 1;
  const isLong = random.chance(0.8);
  // A handshake, as it should be, brings a session to where events count.
  if (random.chance(0.7)) {
    for (const message of traffic.slice(0, 2 + random.below(6))) {
      if (message.connId === 1) nextStreamId = message.streamId + 2;
      add(framesOf(random, message));
    }
  }
  while (frames.length < (isLong ? framesPerSession : 20)) {
    const message = spoiledMessage(random, traffic, nextStreamId);
    if (message.connId === 1) nextStreamId = (nextStreamId + 2) % 0x1_0000_0000;
    const own = framesOf(random, message);
    add(isFramed || random.chance(0.97) ? own : spoiledFrames(random, own));
  }
  const chunks: Buffer[] = [];
  for (let at = 0; at < frames.length; ) {
    const count = random.chance(0.5) ? 1 : 1 + random.below(16);
    chunks.push(...cut(random, Buffer.concat(frames.slice(at, at + count))));
    at += count;
  }
  return { attack: { chunks, isFramed, reads: random.chance(0.95), handlersSeed: random.fork() }, messages, frames: frames.length };
}

/** Mostly in one piece; sometimes in two, or byte by byte. */
function cut(random: Random, bytes: Buffer): Buffer[] {
  if (random.chance(0.8)) return [bytes];
  if (bytes.length < 200 && random.chance(0.1)) return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  const at = random.below(bytes.length + 1);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

const methods = [
  'Configure',
  'Synchronize',
  'Shutdown',
  'StateChange',
  'CreateContainer',
  'UpdateContainer',
  'StopContainer',
  'toString',
  '__proto__',
  '',
];
const services = ['nri.pkg.api.v1alpha1.Plugin', 'nri.pkg.api.v1alpha1.Runtime', '', 'constructor'];
const timeouts = [0, 1, 1000, 2e9, 2 ** 53, -1, 9.2e18];
const ids = [0, 1, 2, 3, 4, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

function spoiledMessage(random: Random, traffic: readonly Message[], nextStreamId: number): Message {
  const base = random.pick(traffic);
  const message = { ...base, streamId: base.connId === 1 ? nextStreamId : random.pick([1, 3, 5, 7]) };
  const how = random.below(10);
  if (how < 5) message.payload = spoil(random, message.payload, random.pick(traffic).payload);
  else if (how < 8) message.payload = confused(random, base, random.pick(traffic));
  if (random.chance(0.05)) message.type = random.pick([0, 1, 2, 3, 4, 255]);
  if (random.chance(0.05)) message.flags = random.pick([1, 2, 3, 4, 255]);
  if (random.chance(0.03)) message.streamId = random.chance(0.1) ? random.pick(ids) : random.below(nextStreamId + 10);
  if (random.chance(0.05)) message.connId = random.pick(ids);
  return message;
}

/** A request whose parts do not belong together; its inner message spoiled. */
function confused(random: Random, one: Message, other: Message): Buffer {
  try {
    const request = readRequest(one.payload);
    const payload = readRequest(other.payload).payload;
    const writer = protobuf.Writer.create();
    writeRequest(writer, {
      service: random.chance(0.9) ? request.service : random.pick(services),
      method: random.chance(0.5) ? request.method : random.pick(methods),
      payload: random.chance(0.5) ? payload : spoil(random, request.payload, payload),
      timeoutNano: random.pick(timeouts),
      metadata: random.chance(0.9) ? request.metadata : new Map([['__proto__', ['x'.repeat(random.below(2000))]]]),
    });
    return Buffer.from(writer.finish());
  } catch {
    return spoil(random, one.payload, other.payload);
  }
}

/** A message in frames, in one of the ways in which peers write them. */
function framesOf(random: Random, { connId, streamId, type, flags, payload }: Message): Buffer[] {
  const bytes = Buffer.concat([header(payload.length, streamId, type, flags), payload]);
  switch (random.below(8)) {
    case 0:
      return [framed(connId, bytes.subarray(0, 10)), framed(connId, bytes.subarray(10))];
    case 1:
      return [framed(connId, bytes.subarray(0, 4096)), framed(connId, bytes.subarray(4096))];
    case 2: {
      const frames: Buffer[] = [];
      for (let at = 0; at < bytes.length; ) {
        const length = random.below(Math.min(bytes.length, 600));
        frames.push(framed(connId, bytes.subarray(at, at + length)));
        at += length;
      }
      return frames;
    }
    default:
      return [framed(connId, bytes)];
  }
}

const lengths = [0, 1, 9, 10, 4095, 4096, 4097, 4 << 20, (4 << 20) + 1, 1 << 24, (1 << 24) + 10, (1 << 24) + 11, 0x7fff_ffff, 0xffff_ffff];

/** Frames that lie about themselves. */
function spoiledFrames(random: Random, frames: Buffer[]): Buffer[] {
  const at = random.below(frames.length);
  const frame = Buffer.from(frames[at]!);
  switch (random.below(7)) {
    case 0:
      frame.writeUInt32BE(random.pick(lengths), 4);
      break;
    case 1:
      frame.writeUInt32BE(Math.max(0, frame.readUInt32BE(4) + random.below(9) - 4), 4);
      break;
    case 2:
      if (frame.length >= 12) frame.writeUInt32BE(random.chance(0.7) ? random.pick(lengths) : random.below(70_000), 8);
      break;
    case 3:
      return frames.toSpliced(at, 1);
    case 4:
      return frames.toSpliced(at, 0, frame);
    case 5:
      return frames.toSpliced(at, 1, frame.subarray(0, random.below(frame.length)));
    default:
      return frames.toSpliced(at, 1, spoil(random, frame, random.bytes(8)));
  }
  return frames.toSpliced(at, 1, frame);
}

function header(length: number, streamId: number, type: number, flags: number): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt32BE(streamId, 4);
  bytes[8] = type;
  bytes[9] = flags;
  return bytes;
}

function framed(connId: number, bytes: Uint8Array): Buffer {
  const frame = Buffer.alloc(8 + bytes.length);
  frame.writeUInt32BE(connId, 0);
  frame.writeUInt32BE(bytes.length, 4);
  frame.set(bytes, 8);
  return frame;
}
