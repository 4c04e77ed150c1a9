import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrameReader, encodeFrame, type Frame, payloadLengthMax, setStreamId } from '../../src/ttrpc/frame.ts';
import { hex } from './pipe.ts';

const first = hex('00000003 00000001 01 00 616263');
const empty = hex('00000000 00000003 02 00');
const last = hex('00000001 00000005 03 05 ff');
const three = Buffer.concat([first, empty, last]);

function readAll(chunks: Uint8Array[], lengthMax?: number): Frame[] {
  const reader = createFrameReader(lengthMax);
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let frame = reader.next(); frame; frame = reader.next()) frames.push(frame);
  }
  return frames;
}

const expected = [
  { streamId: 1, type: 1, flags: 0, length: 3, payload: '616263' },
  { streamId: 3, type: 2, flags: 0, length: 0, payload: '' },
  { streamId: 5, type: 3, flags: 5, length: 1, payload: 'ff' },
];

const inHex = (frames: Frame[]) =>
  frames.map(frame => ({ ...frame, payload: frame.payload && Buffer.from(frame.payload).toString('hex') }));

test('frames that came in one piece are told apart', () => {
  assert.deepEqual(inHex(readAll([three])), expected);
});

test('frames cut at every pair of places are put together', () => {
  for (let one = 0; one <= three.length; one++)
    for (let two = one; two <= three.length; two++)
      assert.deepEqual(inHex(readAll([three.subarray(0, one), three.subarray(one, two), three.subarray(two)])), expected, `${one} ${two}`);
});

test('frames that came byte by byte are put together', () => {
  assert.deepEqual(inHex(readAll([...three].map(byte => Uint8Array.of(byte)))), expected);
});

test('a payload beyond the maximum is thrown away as it comes, and the next frame is read', () => {
  for (let cut = 0; cut <= three.length; cut++) {
    const frames = inHex(readAll([three.subarray(0, cut), three.subarray(cut)], 2));
    assert.deepEqual(frames, [{ ...expected[0], payload: null }, expected[1], expected[2]]);
  }
});

test('a declared length of 4 GiB allocates nothing', () => {
  const before = process.memoryUsage().arrayBuffers;
  const reader = createFrameReader();
  reader.push(hex('ffffffff 00000001 01 00'));
  reader.push(Buffer.alloc(1000));
  assert.equal(reader.next(), undefined);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20);
});

test('the reader tells whether it stands within a frame', () => {
  const reader = createFrameReader();
  assert.equal(reader.isPartial(), false);
  reader.push(first.subarray(0, 4));
  assert.equal(reader.next(), undefined);
  assert.equal(reader.isPartial(), true);
  reader.push(first.subarray(4));
  assert.ok(reader.next());
  assert.equal(reader.isPartial(), false);
});

test('an encoded frame has its length, stream id, type and flags in the header', () => {
  const frame = encodeFrame(2, 5, writer => writer.raw(hex('0102')));
  setStreamId(frame!, 0xfffffffd);
  assert.equal(Buffer.from(frame!).toString('hex'), '00000002fffffffd02050102');
});

test('a frame of 4 MiB is encoded, one byte more is not', () => {
  assert.equal(encodeFrame(1, 0, writer => writer.raw(Buffer.alloc(payloadLengthMax)))?.length, payloadLengthMax + 10);
  assert.equal(
    encodeFrame(1, 0, writer => writer.raw(Buffer.alloc(payloadLengthMax + 1))),
    null,
  );
});
