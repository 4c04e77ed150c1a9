/** Validates one value by its type and rebuilds it, so that nothing of the script's own object goes on. */
import { isFull, type Report, refuse } from './problems.ts';
import { type IntegerType, isRecord, type ListType, type MessageType, own, put, type TextType, type ValueType } from './value-types.ts';
import { member, nearest, show } from './wording.ts';

/** The value in its exact form (an integer is a number when that is safe, else a bigint), or undefined once `report` has a problem. */
export function check(type: ValueType, value: unknown, at: string, report: Report): unknown {
  switch (type.kind) {
    case 'integer':
      return checkInteger(type, value, at, report);
    case 'text':
      return checkText(type, value, at, report);
    case 'name':
      if (typeof value === 'string' && type.names.includes(value)) {
        report.bytes += value.length;
        return value;
      }
      if (typeof value === 'string')
        refuse(report, 'BAD_VALUE', at, `expected ${alternatives(type.names)}, got ${show(value)}${nearest(value, type.names)}`);
      else refuse(report, 'WRONG_TYPE', at, `expected ${alternatives(type.names)}, got ${show(value)}`);
      return undefined;
    case 'boolean':
      if (typeof value === 'boolean') return value;
      refuse(report, 'WRONG_TYPE', at, `expected true or false, got ${show(value)}`);
      return undefined;
    case 'list':
      return checkList(type, value, at, report);
    case 'message':
      return checkMessage(type, value, at, report);
  }
}

function checkInteger(type: IntegerType, value: unknown, at: string, report: Report): number | bigint | undefined {
  report.bytes += 8;
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) refuse(report, 'WRONG_TYPE', at, `expected ${type.what}, got ${show(value)}`);
    else if (!Number.isSafeInteger(value)) {
      refuse(report, 'OUT_OF_RANGE', at, `${value} is not exact in a number beyond 2^53: use a bigint (for example 9223372036854775807n)`);
    } else if (value < type.min || value > type.max) outOfRange(type, value, at, report);
    else return value + 0;
    return undefined;
  }
  if (typeof value === 'bigint') {
    if (value < type.min || value > type.max) outOfRange(type, value, at, report);
    else return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
    return undefined;
  }
  refuse(report, 'WRONG_TYPE', at, `expected ${type.what}, got ${show(value)}`);
  return undefined;
}

function outOfRange(type: IntegerType, value: number | bigint, at: string, report: Report): void {
  refuse(report, 'OUT_OF_RANGE', at, `expected ${type.what} from ${type.min} to ${type.max}, got ${show(value)}`);
}

/** Also what protobuf strings and Linux agree on: well-formed UTF-16 (else not UTF-8) without NUL. */
export function checkText(type: TextType, value: unknown, at: string, report: Report): string | undefined {
  if (typeof value !== 'string') {
    refuse(report, 'WRONG_TYPE', at, `expected ${type.what}, got ${show(value)}`);
    return undefined;
  }
  if (value.length > type.max) {
    refuse(report, 'TOO_LARGE', at, `expected at most ${type.max} bytes, got ${value.length} characters`);
    return undefined;
  }
  const bytes = utf8Length(value);
  report.bytes += bytes;
  if (bytes > type.max) refuse(report, 'TOO_LARGE', at, `expected at most ${type.max} bytes, got ${bytes}`);
  else if (!value.isWellFormed()) refuse(report, 'BAD_VALUE', at, `expected ${type.what}, got half a surrogate pair`);
  else if (value.includes('\0')) refuse(report, 'BAD_VALUE', at, `expected ${type.what}, got a NUL character`);
  else if (type.pattern && !type.pattern.test(value)) refuse(report, 'BAD_VALUE', at, `expected ${type.what}, got ${show(value)}`);
  else return value;
  return undefined;
}

function checkList(type: ListType, value: unknown, at: string, report: Report): unknown[] | undefined {
  if (!Array.isArray(value)) {
    refuse(report, 'WRONG_TYPE', at, `expected an array, got ${show(value)}`);
    return undefined;
  }
  if (value.length > type.max) {
    refuse(report, 'TOO_LARGE', at, `expected at most ${type.max} entries, got ${value.length}`);
    return undefined;
  }
  const sound = !report.refused;
  const entries: unknown[] = [];
  for (let index = 0; index < value.length && !isFull(report); index++) {
    entries.push(check(type.of, value[index], `${at}[${index}]`, report));
  }
  const wrong = sound && !report.refused ? type.rule?.(entries) : undefined;
  if (wrong) refuse(report, 'BAD_VALUE', at, wrong);
  return entries;
}

function checkMessage(type: MessageType, value: unknown, at: string, report: Report): Record<string, unknown> | undefined {
  if (!isRecord(value)) {
    refuse(report, 'WRONG_TYPE', at, `expected an object, got ${show(value)}`);
    return undefined;
  }
  const sound = !report.refused;
  const fields: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const expected = Object.hasOwn(type.members, name) ? type.members[name] : undefined;
    if (expected) {
      if (value[name] !== undefined) put(fields, name, check(expected.type, value[name], `${at}.${name}`, report));
    } else unknownField(name, Object.keys(type.members), at, report);
    if (isFull(report)) return undefined;
  }
  for (const name in type.members) {
    if (type.members[name]!.presence === 'required' && own(value, name) === undefined) {
      refuse(report, 'MISSING_FIELD', `${at}.${name}`, 'missing; it is required');
    }
  }
  const wrong = sound && !report.refused ? type.rule?.(fields) : undefined;
  if (wrong) refuse(report, 'BAD_VALUE', at, wrong);
  return fields;
}

/** Refuses a name that is not known here. `elsewhere` is where the name would be known. */
export function unknownField(name: string, known: readonly string[], at: string, report: Report, elsewhere?: string): void {
  const hint = elsewhere ? `; did you mean ${elsewhere}?` : nearest(name, known);
  refuse(report, 'UNKNOWN_FIELD', member(at, name), `there is no such field${hint || `; known are ${known.join(', ')}`}`);
}

function alternatives(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names[names.length - 1]}`;
}

/** Bytes of the text in UTF-8. Half a surrogate pair counts as the three bytes of its replacement. */
export function utf8Length(value: string): number {
  let bytes = value.length;
  for (let index = 0; index < value.length; index++) {
    const unit = value.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    if (unit >= 0xd800 && unit < 0xdc00 && (value.charCodeAt(index + 1) & 0xfc00) === 0xdc00) index++;
  }
  return bytes;
}
