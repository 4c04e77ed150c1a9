import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkReply, readScriptError } from '../../src/sandbox/check-reply.ts';
import { encodeFrame, FrameError, FrameReader, maxReplyBytes, maxReplyHeaderLength } from '../../src/sandbox/frame.ts';
import type { Reply } from '../../src/sandbox/protocol.ts';

const error = { name: 'Error', message: 'no', stack: '' };
const good: Array<[Reply, string[]]> = [
  [{ type: 'ready' }, []],
  [{ type: 'loaded', id: 'a', handlers: ['createContainer', 'stopContainer'], micros: 12 }, []],
  [{ type: 'prepared', id: 'a', micros: 0 }, []],
  [{ type: 'rested' }, []],
  [{ type: 'failed', id: 'a', outcome: 'timeout', error }, []],
  [{ type: 'log', id: 'a', level: 'warn', dropped: 0 }, ['{"message":"x"}']],
  [{ type: 'lookup', id: 'a', kind: 'containers', argument: 'pod' }, []],
  [{ type: 'result', id: 'a', outcome: 'ok', micros: 3 }, ['{}']],
  [{ type: 'result', id: 'a', outcome: 'error', micros: 3, error }, []],
  [{ type: 'done', isolates: 3, micros: 9, contexts: 0 }, []],
];

test('what the protocol has is taken as it is', () => {
  for (const [header, segments] of good) assert.deepEqual(checkReply({ header, segments }), { header, segments });
});

test('what the protocol does not have is left out', () => {
  const { header } = checkReply({ header: { type: 'ready', pid: 1, __proto__: { x: 1 } }, segments: [] });
  assert.deepEqual(header, { type: 'ready' });
});

const wrong: Record<string, unknown[]> = {
  type: [undefined, null, 'exit', 'constructor', 7, ['ready']],
  id: [undefined, 7, {}, 'x'.repeat(2000)],
  handlers: [
    undefined,
    'createContainer',
    ['constructor'],
    [7],
    ['createContainer', 'createContainer'],
    Array(1e6).fill('createContainer'),
  ],
  micros: [undefined, '1', -1, 0.5, Number.NaN, 1e300, null, { valueOf: 1 }],
  dropped: [undefined, -1, '5', 1e300],
  isolates: [undefined, [], -5],
  outcome: [undefined, 'killed', 'set-aside', 'toString', 3],
  error: ['no', null, [], {}, { ...error, stack: 7 }, { ...error, message: 'x'.repeat(5000) }],
  level: [undefined, 'fatal', 'trace', 'constructor', { toString: 1 }],
  kind: [undefined, 'env', '__proto__'],
  argument: [undefined, 7, 'x'.repeat(300)],
};

test('a field of the wrong form is refused, in every kind of reply that has it', () => {
  let tried = 0;
  for (const [header, segments] of good) {
    for (const field of Object.keys(header)) {
      for (const value of wrong[field] ?? []) {
        tried += 1;
        assert.throws(
          () => checkReply({ header: { ...header, [field]: value }, segments }),
          FrameError,
          `${header.type}.${field}: ${JSON.stringify(value)?.slice(0, 50)}`,
        );
      }
    }
  }
  assert.ok(tried > 90);
});

test('texts that do not go with a reply are refused', () => {
  for (const [header, segments] of good) {
    assert.throws(() => checkReply({ header, segments: [...segments, 'x'] }), FrameError);
    if (segments.length === 0) continue;
    assert.throws(() => checkReply({ header, segments: [] }), FrameError);
    assert.throws(() => checkReply({ header, segments: ['x'.repeat(2 << 20)] }), FrameError);
  }
});

test('headers that are no objects are refused', () => {
  for (const header of [null, undefined, 1, 'ready', [], [{ type: 'ready' }]])
    assert.throws(() => checkReply({ header, segments: [] }), FrameError);
});

test('an error from a script is read whatever it is, and cut', () => {
  for (const value of [undefined, null, 7, 'x', [], { name: 7, message: {}, stack: null }])
    assert.deepEqual(readScriptError(value), { name: '', message: '', stack: '' });
  const long = readScriptError({ name: 'x'.repeat(1e6), message: 'x'.repeat(1e6), stack: 'x'.repeat(1e6) });
  assert.deepEqual([long.name.length, long.message.length, long.stack.length], [200, 4000, 8000]);
});

/** A frame with these lengths of segments, whatever follows. */
function raw(header: string, lengths: number[] = [], rest = ''): Buffer {
  const body = Buffer.from(header + rest);
  const frame = Buffer.alloc(12 + 4 * lengths.length);
  frame.writeUInt32BE(body.length + frame.length - 4, 0);
  frame.writeUInt32BE(Buffer.byteLength(header), 4);
  frame.writeUInt32BE(lengths.length, 8);
  for (const [index, length] of lengths.entries()) frame.writeUInt32BE(length, 12 + 4 * index);
  return Buffer.concat([frame, body]);
}

const reader = () => new FrameReader<Reply>(maxReplyBytes, maxReplyHeaderLength);

test('frames arrive in any pieces', () => {
  const bytes = Buffer.concat(good.map(([header, segments]) => encodeFrame(header, segments)));
  for (const size of [1, 3, 7, 64, bytes.length]) {
    const incoming = reader();
    const frames = [];
    for (let at = 0; at < bytes.length; at += size) {
      incoming.push(bytes.subarray(at, at + size));
      for (let frame = incoming.next(); frame; frame = incoming.next()) frames.push([frame.header, frame.segments]);
    }
    assert.deepEqual(frames, good);
  }
});

test('frames that are none are refused as soon as it is known', () => {
  const length = (bytes: number) => {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(bytes, 0);
    return buffer;
  };
  const hostile = [
    length(0),
    length(3),
    length(maxReplyBytes + 1),
    length(0xffffffff),
    raw('not json'),
    raw('null'),
    raw(''),
    raw('{"type":"ready"}', [1]),
    raw('{"type":"ready"}', [2], 'x'),
    raw('{"type":"ready"}', [0xffffffff], 'xx'),
    raw('{"type":"ready"}', [1], 'xx'),
    raw('{"type":"ready"}', [], 'x'),
    raw('{"type":"ready"}', Array(1000).fill(0)),
    raw(`{"type":"${'x'.repeat(maxReplyHeaderLength)}"}`),
    raw(`${'['.repeat(60_000)}${']'.repeat(60_000)}`),
    Buffer.concat([length(12), length(5), length(0), Buffer.alloc(4)]),
    Buffer.concat([length(12), length(0), length(2), Buffer.alloc(4)]),
  ];
  for (const bytes of hostile) {
    const incoming = reader();
    incoming.push(bytes);
    assert.throws(() => checkReply(incoming.next()!), FrameError, bytes.toString('latin1', 0, 60));
  }
});

test('texts cross as they are, whatever they end and begin with', () => {
  const texts = ['', 'plain', 'ünïcödé', '日本語', '\u{1f600}', '\u0000', 'x'.repeat(100_000), 'é'.repeat(1000)];
  const halves = ['a\ud83d', '\ude00b'];
  for (const segments of [texts, [...texts].reverse(), [], halves]) {
    const incoming = new FrameReader<unknown>(maxReplyBytes);
    incoming.push(encodeFrame({ type: 'ünï', id: '\u{1f600}' }, segments));
    assert.deepEqual(incoming.next(), { header: { type: 'ünï', id: '\u{1f600}' }, segments });
  }
});
