/**
 * Reads NRI's messages from the wire into their plain form (messages.ts) in one step, by protobufjs' reflection and with its reader.
 *
 * protobufjs' own decoders make its message objects first, of which the plain form has to be made then, and read strings byte by byte: that took two
 * and a half times as long (6 KB: 52 µs, now 21), on a path that every pod of the node waits for.
 */
import protobuf from 'protobufjs';
import type { Int64 } from './messages.ts';
import { plainName } from './plain-name.ts';
import { createTextReader, type TextReader } from './text-reader.ts';

type Fields = Record<string, unknown>;
/** Reads what follows a tag. `before`: what the same field said before; a message is merged into it, as the wire's rules are. */
type Read = (reader: TextReader, before?: unknown) => unknown;
/** Reads all of a message that ends at `end`, into a message that was read before or a new one. */
export type MessageReader = (reader: TextReader, end: number, into?: Fields) => Fields;

type FieldReader = {
  wireType: number;
  /** Reads a value, and puts it where it belongs. */
  take(plain: Fields, reader: TextReader): void;
  /** For numbers in one piece (the wire has these in either form). */
  takePacked?: (plain: Fields, reader: TextReader) => void;
};

const wireVarint = 0;
const wireLengthDelimited = 2;

/** `readerOf` gives the readers of the messages within. */
export function createMessageReader(type: protobuf.Type, readerOf: (type: protobuf.Type) => MessageReader): MessageReader {
  const byNumber: (FieldReader | undefined)[] = [];
  const lists: string[] = [];
  const maps: string[] = [];
  const template: Fields = {};
  for (const field of type.fieldsArray) {
    const name = plainName(field.name);
    byNumber[field.id] = fieldReader(field, name, readerOf);
    if (field.map) maps.push(name);
    else if (field.repeated) lists.push(name);
    // Lists and maps have their place among the fields, and a new one in each message; a message that is absent is not there.
    const absent = field.repeated || field.map ? undefined : absentValue(field);
    if (absent !== undefined || field.repeated || field.map) template[name] = absent;
  }

  function blank(): Fields {
    const plain = { ...template };
    for (const name of lists) plain[name] = [];
    for (const name of maps) plain[name] = {};
    return plain;
  }

  return (reader, end, plain = blank()) => {
    while (reader.pos < end) {
      const tag = reader.tag();
      const field = byNumber[tag >>> 3];
      const wireType = tag & 7;
      if (field === undefined) reader.skipType(wireType, 0, tag >>> 3);
      else if (wireType === field.wireType) field.take(plain, reader);
      else if (wireType === wireLengthDelimited && field.takePacked) field.takePacked(plain, reader);
      else reader.skipType(wireType, 0, tag >>> 3);
    }
    if (reader.pos !== end) throw new RangeError(`a field of ${type.name} is longer than its message`);
    return plain;
  };
}

/** Reads a whole message. */
export function readMessage(read: MessageReader, bytes: Uint8Array): Fields {
  return read(createTextReader(bytes), bytes.length);
}

/** What an absent field is in the plain form; undefined where it is not there. */
export function absentValue(field: protobuf.Field): unknown {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Enum) return resolvedType.valuesById[0]!;
  if (resolvedType instanceof protobuf.Type) return undefined;
  if (field.type === 'string') return '';
  return field.type === 'bool' ? false : 0;
}

function fieldReader(field: protobuf.Field, name: string, readerOf: (type: protobuf.Type) => MessageReader): FieldReader {
  const read = valueReader(field, readerOf);
  const wireType = field.resolvedType instanceof protobuf.Type || field.type === 'string' ? wireLengthDelimited : wireVarint;
  if (field instanceof protobuf.MapField) {
    const isByText = field.keyType === 'string';
    const keyTag = (1 << 3) | (isByText ? wireLengthDelimited : wireVarint);
    const valueTag = (2 << 3) | wireType;
    return {
      wireType: wireLengthDelimited,
      take(plain, reader) {
        const end = endOf(reader);
        let key = isByText ? '' : '0';
        let value = absentValue(field);
        while (reader.pos < end) {
          const tag = reader.tag();
          if (tag === keyTag) key = isByText ? reader.text() : String(reader.int32());
          else if (tag === valueTag) value = read(reader, value);
          else reader.skipType(tag & 7, 0, tag >>> 3);
        }
        if (reader.pos !== end) throw new RangeError(`an entry of ${field.name} is longer than it says`);
        put(plain[name] as Fields, key, value ?? emptyOf(field, readerOf));
      },
    };
  }
  if (!field.repeated) {
    return {
      wireType,
      take(plain, reader) {
        plain[name] = read(reader, plain[name]);
      },
    };
  }
  const take = (plain: Fields, reader: TextReader) => {
    (plain[name] as unknown[]).push(read(reader));
  };
  if (wireType !== wireVarint) return { wireType, take };
  return {
    wireType,
    take,
    takePacked(plain, reader) {
      const end = endOf(reader);
      while (reader.pos < end) take(plain, reader);
      if (reader.pos !== end) throw new RangeError(`${field.name} is longer than it says`);
    },
  };
}

function valueReader(field: protobuf.Field, readerOf: (type: protobuf.Type) => MessageReader): Read {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Enum) {
    const { valuesById } = resolvedType;
    return reader => {
      const value = reader.int32();
      return valuesById[value] ?? String(value);
    };
  }
  if (resolvedType instanceof protobuf.Type) {
    // Made when it is needed first: not all kinds of messages come.
    let message: MessageReader | undefined;
    const isOptional = resolvedType.name.startsWith('Optional');
    return (reader, before) => {
      message ??= readerOf(resolvedType);
      const end = endOf(reader);
      if (isOptional) return message(reader, end, before === undefined ? before : { value: before })['value'];
      return message(reader, end, before as Fields | undefined);
    };
  }
  switch (field.type) {
    case 'int64':
      return reader => exact(reader.int64());
    case 'uint64':
      return reader => exact(reader.uint64());
    case 'int32':
      return reader => reader.int32();
    case 'uint32':
      return reader => reader.uint32();
    case 'string':
      return reader => reader.text();
    case 'bool':
      return reader => reader.bool();
    default:
      throw new Error(`${field.fullName}: no plain form for ${field.type}`);
  }
}

/** A map's message that is not there. */
function emptyOf({ resolvedType }: protobuf.Field, readerOf: (type: protobuf.Type) => MessageReader): unknown {
  return resolvedType instanceof protobuf.Type ? readMessage(readerOf(resolvedType), new Uint8Array(0)) : undefined;
}

function endOf(reader: TextReader): number {
  const length = reader.size();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError(`${length} bytes at ${reader.pos} of ${reader.len}`);
  return end;
}

type Long = { low: number; high: number; unsigned: boolean };

function exact(value: Long | number): Int64 {
  if (typeof value === 'number') return value;
  const number = value.high * 0x1_0000_0000 + (value.low >>> 0);
  if (!value.unsigned || value.high >= 0) {
    if (Number.isSafeInteger(number)) return number;
  }
  const bits = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
  return value.unsigned ? bits : BigInt.asIntN(64, bits);
}

/** Keys come from the wire: `__proto__` must become a key like any other. */
export function put(target: Fields, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
