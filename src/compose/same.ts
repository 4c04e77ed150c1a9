import { isRecord, type Member, own, type ValueType } from './value-types.ts';

/**
 * Whether two values of a type mean the same on the wire: 1 and 1n do, and so do an absent plain member and its zero value; an absent
 * optional member and zero do not. Undefined equals only itself.
 */
export function same(type: ValueType, a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  switch (type.kind) {
    case 'integer':
      // biome-ignore lint/suspicious/noDoubleEquals: only == compares a number with a bigint
      return (typeof a === 'bigint' || typeof b === 'bigint') && a == b;
    case 'list':
      if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
      return a.every((entry, index) => same(type.of, entry, b[index]));
    case 'message':
      if (!isRecord(a) || !isRecord(b)) return false;
      for (const name in type.members) {
        const member = type.members[name]!;
        if (!same(member.type, memberValue(member, own(a, name)), memberValue(member, own(b, name)))) return false;
      }
      return true;
    default:
      return false;
  }
}

function memberValue(member: Member, value: unknown): unknown {
  return value === undefined && member.presence !== 'optional' ? zero(member.type) : value;
}

function zero(type: ValueType): unknown {
  switch (type.kind) {
    case 'integer':
      return 0;
    case 'text':
      return '';
    case 'name':
      return type.names[0];
    case 'boolean':
      return false;
    case 'list':
      return [];
    case 'message':
      return {};
  }
}
