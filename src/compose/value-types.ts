/** Descriptions of values, as data: check.ts validates by them, same.ts compares by them. */

export type ValueType = IntegerType | TextType | NameType | BooleanType | ListType | MessageType;

export type IntegerType = { kind: 'integer'; what: string; min: bigint; max: bigint };

/** `max` counts UTF-8 bytes. A pattern is tried on bounded text only and must not backtrack. */
export type TextType = { kind: 'text'; what: string; max: number; pattern?: RegExp };

export type NameType = { kind: 'name'; names: readonly string[] };

export type BooleanType = { kind: 'boolean' };

export type ListType = {
  kind: 'list';
  of: ValueType;
  max: number;
  /** What the entries must fulfil together: says what is wrong, or nothing. */
  rule?: (entries: readonly unknown[]) => string | undefined;
};

export type MessageType = {
  kind: 'message';
  members: Readonly<Record<string, Member>>;
  /** What the members must fulfil together: says what is wrong, or nothing. */
  rule?: (value: Readonly<Record<string, unknown>>) => string | undefined;
};

/**
 * `required` must be there. Of the others, absent is the type's zero value when `plain` (a proto3 field) and a state of its own when
 * `optional` (an Optional* message, fact E9).
 */
export type Member = { type: ValueType; presence: 'required' | 'plain' | 'optional' };

export const boolean: BooleanType = { kind: 'boolean' };

export const int64 = integer('an integer', -(2n ** 63n), 2n ** 63n - 1n);
export const uint64 = integer('an integer', 0n, 2n ** 64n - 1n);
export const int32 = integer('an integer', -(2n ** 31n), 2n ** 31n - 1n);
export const uint32 = integer('an integer', 0n, 2n ** 32n - 1n);

export function integer(what: string, min: bigint, max: bigint): IntegerType {
  return { kind: 'integer', what, min, max };
}

export function text(what: string, max: number, pattern?: RegExp): TextType {
  return pattern ? { kind: 'text', what, max, pattern } : { kind: 'text', what, max };
}

export function oneOf(...names: string[]): NameType {
  return { kind: 'name', names };
}

export function listOf(of: ValueType, max: number, rule?: ListType['rule']): ListType {
  return rule ? { kind: 'list', of, max, rule } : { kind: 'list', of, max };
}

export function message(members: Record<string, Member>, rule?: MessageType['rule']): MessageType {
  return rule ? { kind: 'message', members, rule } : { kind: 'message', members };
}

export function required(type: ValueType): Member {
  return { type, presence: 'required' };
}

export function plain(type: ValueType): Member {
  return { type, presence: 'plain' };
}

export function optional(type: ValueType): Member {
  return { type, presence: 'optional' };
}

/** An object other than an array; values from scripts have no other kinds. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sets an own property whatever its name: keys are data, `__proto__` too. */
export function put(record: object, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
  else (record as Record<string, unknown>)[key] = value;
}

/** An own property, never an inherited one. */
export function own(record: object, key: string): unknown {
  return Object.hasOwn(record, key) ? (record as Record<string, unknown>)[key] : undefined;
}
