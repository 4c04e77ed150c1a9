/**
 * Encodes and decodes NRI's messages (messages.ts) by the description in proto/nri.proto.
 *
 * By protobufjs' reflection, not by generated files: it compiles the same code at run time.
 */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { createMessageReader, type MessageReader, put, readMessage } from './decoder.ts';
import type { MessageName, Messages } from './messages.ts';
import { plainName } from './plain-name.ts';

export type Codec = {
  /** Reads a message. Throws {@link CodecError} on bytes that are not one. */
  decode<Name extends MessageName>(name: Name, bytes: Uint8Array): Messages[Name];
  /**
   * Writes a message as Go does: defaults of plain fields are left out, Optional* messages are kept (fact E9). Fields that the message
   * does not have are ignored. Throws {@link CodecError} on a value that is not of its field's type or out of its range: nothing is rounded or wrapped.
   */
  encode<Name extends MessageName>(name: Name, message: Messages[Name]): Uint8Array;
  /** Does at once what otherwise the first message of each kind waits for: about 10 ms. */
  prepare(): void;
};

/** The bytes are not the message that they should be, or the value cannot be written as one. */
export class CodecError extends Error {
  readonly code = 'NRI_MALFORMED_MESSAGE';
  constructor(name: string, cause: unknown) {
    super(`malformed ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'CodecError';
  }
}

const protoFile = new URL('../../proto/nri.proto', import.meta.url);
const nriPackage = 'nri.pkg.api.v1alpha1';

/** Loads proto/nri.proto. One codec serves any number of connections. */
export function createCodec(): Codec {
  const root = protobuf.parse(readFileSync(protoFile, 'utf8'), { keepCase: true }).root.resolveAll();
  const shapes = new Map<string, Shape>();
  const shapeOf = (name: string): Shape => {
    let shape = shapes.get(name);
    if (!shape) {
      shape = describe(root.lookupType(`${nriPackage}.${name}`), shapeOf);
      shapes.set(name, shape);
    }
    return shape;
  };
  const readers = new Map<string, MessageReader>();
  const readerOf = (type: protobuf.Type): MessageReader => {
    let reader = readers.get(type.name);
    if (!reader) {
      reader = createMessageReader(type, readerOf);
      readers.set(type.name, reader);
    }
    return reader;
  };
  return {
    decode<Name extends MessageName>(name: Name, bytes: Uint8Array) {
      try {
        const read = readers.get(name) ?? readerOf(root.lookupType(`${nriPackage}.${name}`));
        return readMessage(read, bytes) as Messages[Name];
      } catch (cause) {
        throw new CodecError(name, cause);
      }
    },
    encode<Name extends MessageName>(name: Name, message: Messages[Name]) {
      const shape = shapeOf(name);
      try {
        return shape.type.encode(fromPlain(shape, message as unknown as Fields)).finish();
      } catch (cause) {
        throw new CodecError(name, cause);
      }
    },
    prepare() {
      for (const found of (root.lookup(nriPackage) as protobuf.Namespace).nestedArray) {
        if (!(found instanceof protobuf.Type)) continue;
        shapeOf(found.name).type.setup();
        readerOf(found);
      }
    },
  };
}

type Fields = Record<string, unknown>;

type Shape = { type: protobuf.Type; fields: FieldShape[] };

type FieldShape = {
  wire: string;
  plain: string;
  container: 'single' | 'list' | 'map';
  /** What is not worth encoding. */
  absent: unknown;
  fromPlain(value: unknown): unknown;
};

function describe(type: protobuf.Type, shapeOf: (name: string) => Shape): Shape {
  const shape: Shape = { type, fields: [] };
  for (const field of type.fieldsArray) {
    shape.fields.push({
      wire: field.name,
      plain: plainName(field.name),
      container: field.map ? 'map' : field.repeated ? 'list' : 'single',
      ...describeValue(field, shapeOf),
    });
  }
  return shape;
}

function describeValue(field: protobuf.Field, shapeOf: (name: string) => Shape): Pick<FieldShape, 'absent' | 'fromPlain'> {
  const resolved = field.resolvedType;
  if (resolved instanceof protobuf.Enum) {
    const { values, valuesById } = resolved;
    return {
      absent: valuesById[0]!,
      fromPlain: value => (Object.hasOwn(values, value as string) ? values[value as string] : int32(Number(value), value)),
    };
  }
  if (resolved instanceof protobuf.Type) {
    const name = resolved.name;
    if (name.startsWith('Optional')) {
      const inner = resolved.fields['value']!;
      const value = describeValue(inner, shapeOf);
      if (inner.repeated)
        return {
          absent: undefined,
          fromPlain: list => ({ value: (list as unknown[]).map(value.fromPlain) }),
        };
      return {
        absent: undefined,
        fromPlain: plain => (plain === value.absent ? {} : { value: value.fromPlain(plain) }),
      };
    }
    return {
      absent: undefined,
      fromPlain: value => fromPlain(shapeOf(name), value as Fields),
    };
  }
  switch (field.type) {
    case 'int64':
      return { absent: 0, fromPlain: value => toLong(value, -(2n ** 63n), 2n ** 63n) };
    case 'uint64':
      return { absent: 0, fromPlain: value => toLong(value, 0n, 2n ** 64n) };
    case 'int32':
      return { absent: 0, fromPlain: value => int32(value, value) };
    case 'uint32':
      return { absent: 0, fromPlain: uint32 };
    case 'string':
      return { absent: '', fromPlain: string };
    case 'bool':
      return { absent: false, fromPlain: boolean };
    default:
      throw new Error(`${field.fullName}: no plain form for ${field.type}`);
  }
}

function int32(value: unknown, shown: unknown): number {
  if (typeof value === 'number' && (value | 0) === value) return value;
  throw new TypeError(`${show(shown)} is not an int32`);
}

function uint32(value: unknown): number {
  if (typeof value === 'number' && value >>> 0 === value) return value;
  throw new TypeError(`${show(value)} is not a uint32`);
}

function string(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`${show(value)} is not a string`);
}

function boolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new TypeError(`${show(value)} is not a boolean`);
}

/** protobufjs takes 64 bits exactly as a decimal string. */
function toLong(value: unknown, min: bigint, end: bigint): number | string {
  if (Number.isSafeInteger(value) && (min < 0n || (value as number) >= 0)) return value as number;
  if (typeof value === 'bigint' || Number.isInteger(value)) {
    const exact = BigInt(value as bigint | number);
    if (exact >= min && exact < end) return String(exact);
  }
  throw new TypeError(`${show(value)} is not ${min < 0n ? 'an int64' : 'a uint64'}`);
}

function show(value: unknown): string {
  return typeof value === 'object' ? 'an object' : String(value).slice(0, 100);
}

function fromPlain(shape: Shape, plain: Fields): Fields {
  const message: Fields = {};
  for (const field of shape.fields) {
    const value = plain[field.plain];
    if (value === undefined || value === null) continue;
    try {
      if (field.container === 'list') message[field.wire] = (value as unknown[]).map(field.fromPlain);
      else if (field.container === 'map') message[field.wire] = mapValues(value as Fields, field.fromPlain);
      else if (value !== field.absent) message[field.wire] = field.fromPlain(value);
    } catch (error) {
      throw within(field.plain, error);
    }
  }
  return message;
}

/** Adds where a value stands to what is wrong with it. */
function within(field: string, error: unknown): Error {
  return new TypeError(`${field}: ${error instanceof Error ? error.message : String(error)}`);
}

/** Keys come from the wire: `__proto__` must become a key like any other. */
function mapValues(map: Fields, convert: (value: unknown) => unknown): Fields {
  const entries: Fields = {};
  for (const key of Object.keys(map)) {
    put(entries, key, convert(map[key]));
  }
  return entries;
}
