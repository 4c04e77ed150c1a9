/** What comes from a sandbox process in somebody else's hands: frames that are read and checked, or an error of the protocol's. */
import { checkReply } from '../../src/sandbox/check-reply.ts';
import { encodeFrame, FrameError, FrameReader, maxReplyBytes, maxReplyHeaderLength } from '../../src/sandbox/frame.ts';
import type { Reply } from '../../src/sandbox/protocol.ts';
import { decodeResult } from '../../src/sandbox/values.ts';
import { spoil } from './bytes.ts';
import { FuzzFailure, pollutedPrototype, shrink, type Target } from './failure.ts';
import { createRandom, type Random } from './random.ts';
import { anything } from './results.ts';

const framesPerRun = 50;

export const childFramesTarget: Target = {
  name: 'child frames',
  unit: 'frames',
  async run(seed) {
    const random = createRandom(seed);
    const chunks = Array.from({ length: framesPerRun }, () => chunkOf(random));
    const wrong = takesSoundly(chunks);
    if (wrong === undefined) return framesPerRun;
    const least = await shrink(chunks, fewer => takesSoundly(fewer) !== undefined);
    throw new FuzzFailure(wrong, JSON.stringify(least.map(chunk => chunk.toString('hex'))));
  },
};

/** What is wrong with how these pieces of a stream are taken; undefined for nothing. Each error of the protocol begins a new stream. */
export function takesSoundly(chunks: readonly Buffer[]): string | undefined {
  let reader = newReader();
  for (const chunk of chunks) {
    try {
      reader.push(chunk);
      for (let frame = reader.next(); frame; frame = reader.next()) {
        const { header, segments } = checkReply(frame);
        if (header.type === 'result' && header.outcome === 'ok') decodeOrRefuse(segments[0]!);
      }
    } catch (error) {
      if (!(error instanceof FrameError)) return error instanceof Error ? `${error.stack}` : String(error);
      reader = newReader();
    }
  }
  const polluted = pollutedPrototype();
  return polluted && `${polluted}.prototype was changed`;
}

const newReader = () => new FrameReader<unknown>(maxReplyBytes, maxReplyHeaderLength);

/** The sandbox' handle on the child takes what this throws for the script's error. */
function decodeOrRefuse(text: string): void {
  try {
    decodeResult(text);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)) throw error;
  }
}

const error = { name: 'Error', message: 'x', stack: 'at a.js:1:1' };
const result = '{"result":{"adjust":{"env":{"A":"1"}}},"updates":[],"state":{"k":{"\\u0000":"5n"}}}';
const samples: Array<[Reply, string[]]> = [
  [{ type: 'ready' }, []],
  [{ type: 'loaded', id: 'a', handlers: ['createContainer', 'configure'], micros: 5 }, []],
  [{ type: 'prepared', id: 'a', micros: 5 }, []],
  [{ type: 'rested' }, []],
  [{ type: 'failed', id: 'a', outcome: 'error', error }, []],
  [{ type: 'log', id: 'a', level: 'info', dropped: 0 }, ['["text",{"a":1}]']],
  [{ type: 'lookup', id: 'a', kind: 'pods', argument: '' }, []],
  [{ type: 'result', id: 'a', outcome: 'ok', micros: 5 }, [result]],
  [{ type: 'result', id: 'a', outcome: 'timeout', micros: 5, error }, []],
  [{ type: 'done', isolates: 3, micros: 100, contexts: 0 }, []],
];
const encoded = samples.map(([header, segments]) => encodeFrame(header, segments));
const lengths = [0, 1, 3, 4, 5, 100, maxReplyHeaderLength + 1, maxReplyBytes, maxReplyBytes + 1, 0x7fff_ffff, 0xffff_ffff];

function chunkOf(random: Random): Buffer {
  const frame = Buffer.from(random.pick(encoded));
  switch (random.below(8)) {
    case 0:
      return frame;
    case 1:
      frame.writeUInt32BE(random.pick(lengths), random.pick([0, 4, 8, 12]));
      return frame;
    case 2:
      return spoil(random, frame, random.pick(encoded));
    case 3:
    case 4: {
      const [header] = random.pick(samples);
      const fields: Record<string, unknown> = { ...header };
      const key = random.pick([...Object.keys(fields), '__proto__', 'segments', 'toJSON']);
      Object.defineProperty(fields, key, { value: anything(random, 1), enumerable: true, configurable: true, writable: true });
      return encodeFrame(fields as Reply, random.chance(0.5) ? [] : [JSON.stringify(anything(random, 0))]);
    }
    case 5: {
      const text = random.chance(0.5)
        ? JSON.stringify(anything(random, 0))
        : spoil(random, Buffer.from(result), random.bytes(9)).toString();
      return encodeFrame({ type: 'result', id: 'a', outcome: 'ok', micros: 1 }, [text]);
    }
    case 6:
      return encodeFrame(random.pick(samples)[0], Array(random.below(300)).fill('x'));
    default: {
      // The frame's own length put right again, so that what is inside is looked at.
      const spoiled = spoil(random, frame.subarray(12), random.pick(encoded).subarray(12));
      const whole = Buffer.concat([frame.subarray(0, 12), spoiled]);
      whole.writeUInt32BE(whole.length - 4, 0);
      return whole;
    }
  }
}
