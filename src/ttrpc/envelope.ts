/**
 * The two envelopes, ttrpc.Request and ttrpc.Response (proto/ttrpc.proto, fact B4), read and written by hand: they are
 * on the path of every call, and their payload must not be copied more than once.
 */
import protobuf from 'protobufjs/minimal.js';
import type { Status } from './status.ts';

/** Key-value pairs that travel with a request; a key may have several values. Trace context for example (fact B6). */
export type Metadata = ReadonlyMap<string, readonly string[]>;

export type RequestEnvelope = {
  service: string;
  method: string;
  payload: Uint8Array;
  /** Nanoseconds that the caller waits; 0 for no limit. Beyond 2^53 it is rounded. */
  timeoutNano: number;
  metadata: Metadata;
};

export type ResponseEnvelope = {
  /** Absent for OK. */
  status?: Status;
  payload: Uint8Array;
};

/** A request with more metadata entries than this is malformed. */
export const metadataCountMax = 1024;

export const noMetadata: Metadata = new Map();

const wireType = { Varint: 0, Bytes: 2 } as const;
const tag = (field: number, type: number): number => (field << 3) | type;
const bytesTag = (field: number): number => tag(field, wireType.Bytes);

/** Writes what is not a default, as Go does. */
export function writeRequest(writer: protobuf.Writer, request: RequestEnvelope): void {
  if (request.service !== '') writer.uint32(bytesTag(1)).string(request.service);
  if (request.method !== '') writer.uint32(bytesTag(2)).string(request.method);
  if (request.payload.length > 0) writer.uint32(bytesTag(3)).bytes(request.payload);
  if (request.timeoutNano !== 0) writer.uint32(tag(4, wireType.Varint)).int64(request.timeoutNano);
  for (const [key, values] of request.metadata) {
    for (const value of values)
      writer.uint32(bytesTag(5)).fork().uint32(bytesTag(1)).string(key).uint32(bytesTag(2)).string(value).ldelim();
  }
}

export function writeResponse(writer: protobuf.Writer, response: ResponseEnvelope): void {
  const { status, payload } = response;
  if (status) {
    writer.uint32(bytesTag(1)).fork();
    if (status.code !== 0) writer.uint32(tag(1, wireType.Varint)).int32(status.code);
    if (status.message !== '') writer.uint32(bytesTag(2)).string(status.message);
    writer.ldelim();
  }
  if (payload.length > 0) writer.uint32(bytesTag(2)).bytes(payload);
}

/** Throws on bytes that are not a ttrpc.Request. The payload is a view of `bytes`. */
export function readRequest(bytes: Uint8Array): RequestEnvelope {
  const reader = createReader(bytes);
  let service = '';
  let method = '';
  let payload: Uint8Array = emptyPayload;
  let timeoutNano = 0;
  let metadata: Map<string, string[]> | undefined;
  let metadataCount = 0;
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    if (key === bytesTag(1)) service = reader.string();
    else if (key === bytesTag(2)) method = reader.string();
    else if (key === bytesTag(3)) payload = reader.bytes();
    else if (key === tag(4, wireType.Varint)) timeoutNano = toNumber(reader.int64());
    else if (key === bytesTag(5)) {
      metadataCount++;
      if (metadataCount > metadataCountMax) throw new RangeError(`more than ${metadataCountMax} metadata entries`);
      metadata ??= new Map();
      readMetadataEntry(reader.bytes(), metadata);
    } else reader.skipType(key & 7);
  }
  return { service, method, payload, timeoutNano, metadata: metadata ?? noMetadata };
}

/** Throws on bytes that are not a ttrpc.Response. The payload is a view of `bytes`; a status with code OK counts as none. */
export function readResponse(bytes: Uint8Array): ResponseEnvelope {
  const reader = createReader(bytes);
  let status: Status = { code: 0, message: '' };
  let payload: Uint8Array = emptyPayload;
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    if (key === bytesTag(1)) status = readStatus(reader.bytes());
    else if (key === bytesTag(2)) payload = reader.bytes();
    else reader.skipType(key & 7);
  }
  return status.code === 0 ? { payload } : { status, payload };
}

const emptyPayload = new Uint8Array(0);

function readMetadataEntry(bytes: Uint8Array, metadata: Map<string, string[]>): void {
  const reader = createReader(bytes);
  let name = '';
  let value = '';
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    if (key === bytesTag(1)) name = reader.string();
    else if (key === bytesTag(2)) value = reader.string();
    else reader.skipType(key & 7);
  }
  const values = metadata.get(name);
  if (values) values.push(value);
  else metadata.set(name, [value]);
}

function readStatus(bytes: Uint8Array): Status {
  const reader = createReader(bytes);
  const status = { code: 0, message: '' };
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    if (key === tag(1, wireType.Varint)) status.code = reader.int32();
    else if (key === bytesTag(2)) status.message = reader.string();
    else reader.skipType(key & 7);
  }
  return status;
}

/** protobufjs reads strings of a Buffer natively, those of a plain Uint8Array byte by byte. */
function createReader(bytes: Uint8Array): protobuf.Reader {
  return protobuf.Reader.create(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

function toNumber(value: number | { low: number; high: number }): number {
  return typeof value === 'number' ? value : value.high * 0x1_0000_0000 + (value.low >>> 0);
}
