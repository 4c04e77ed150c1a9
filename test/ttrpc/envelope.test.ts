import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import { metadataCountMax, noMetadata, readRequest, readResponse, writeRequest, writeResponse } from '../../src/ttrpc/envelope.ts';

const proto = protobuf.parse(readFileSync(new URL('../../proto/ttrpc.proto', import.meta.url), 'utf8'), { keepCase: true }).root;
const Request = proto.lookupType('ttrpc.Request');
const Response = proto.lookupType('ttrpc.Response');

const bytes = (write: (writer: protobuf.Writer) => void) => {
  const writer = protobuf.Writer.create();
  write(writer);
  return writer.finish();
};

const request = {
  service: 'a.B',
  method: 'C',
  payload: Buffer.from('xyz'),
  timeoutNano: 5e9,
  metadata: new Map([
    ['traceparent', ['00-1-2-01']],
    ['__proto__', ['x', 'y']],
  ]),
};

test('a request is written as proto/ttrpc.proto describes it', () => {
  const plain = Request.toObject(Request.decode(bytes(writer => writeRequest(writer, request))), { longs: Number });
  assert.deepEqual(plain, {
    service: 'a.B',
    method: 'C',
    payload: Buffer.from('xyz'),
    timeout_nano: 5e9,
    metadata: [
      { key: 'traceparent', value: '00-1-2-01' },
      { key: '__proto__', value: 'x' },
      { key: '__proto__', value: 'y' },
    ],
  });
});

test('a request is read back as it was written', () => {
  assert.deepEqual(readRequest(bytes(writer => writeRequest(writer, request))), request);
});

test('an empty request is no bytes', () => {
  const none = { service: '', method: '', payload: new Uint8Array(0), timeoutNano: 0, metadata: noMetadata };
  assert.equal(bytes(writer => writeRequest(writer, none)).length, 0);
  assert.deepEqual(readRequest(new Uint8Array(0)), none);
});

test('a negative timeout is read as one', () => {
  assert.equal(readRequest(Request.encode({ timeout_nano: -7 }).finish()).timeoutNano, -7);
});

test('fields of a later version are skipped', () => {
  const later = bytes(writer =>
    writer
      .uint32((9 << 3) | 2)
      .string('new')
      .uint32((10 << 3) | 0)
      .uint32(7)
      .uint32((11 << 3) | 5)
      .fixed32(1),
  );
  assert.deepEqual(readResponse(later), { payload: new Uint8Array(0) });
  assert.equal(readRequest(Buffer.concat([later, Request.encode({ method: 'M' }).finish()])).method, 'M');
});

test('a response is written and read as proto/ttrpc.proto describes it', () => {
  const failed = { status: { code: 12, message: 'no such method' }, payload: new Uint8Array(0) };
  const encoded = bytes(writer => writeResponse(writer, failed));
  assert.deepEqual(Response.toObject(Response.decode(encoded)), { status: failed.status });
  assert.deepEqual(readResponse(encoded), failed);
});

test('a negative status code survives', () => {
  const failed = { status: { code: -1, message: '' }, payload: new Uint8Array(0) };
  assert.deepEqual(readResponse(bytes(writer => writeResponse(writer, failed))), failed);
});

test('a status of OK counts as none', () => {
  const encoded = Response.encode({ status: { code: 0, message: 'fine' }, payload: Buffer.from('x') }).finish();
  assert.deepEqual(readResponse(encoded), { payload: Buffer.from('x') });
});

test('a status of which all is default is still OK', () => {
  assert.deepEqual(readResponse(Buffer.from('0a00', 'hex')), { payload: new Uint8Array(0) });
});

test('bytes that are cut short are refused', () => {
  const whole = bytes(writer => writeRequest(writer, request));
  assert.throws(() => readRequest(whole.subarray(0, whole.length - 1)));
  assert.throws(() => readResponse(Buffer.from('0aff', 'hex')));
});

test('more metadata than anyone sends is refused', () => {
  const entries = (count: number) => Request.encode({ metadata: Array.from({ length: count }, () => ({ key: 'k', value: 'v' })) }).finish();
  assert.equal(readRequest(entries(metadataCountMax)).metadata.get('k')?.length, metadataCountMax);
  assert.throws(() => readRequest(entries(metadataCountMax + 1)), /metadata/);
});
