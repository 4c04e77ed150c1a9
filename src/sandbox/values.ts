/**
 * Values that cross between host and isolate as JSON text, exactly.
 *
 * Into the isolate: {@link encodeSegment}; JSON has no 64-bit integers, so bigints travel beside the text with their paths, and a
 * text without any, the common case, is plain JSON. Out of it: {@link decodeResult}; what JSON cannot say is tagged by the prelude.
 */

/** Key of the one-entry objects that stand for values outside JSON. */
export const oddityKey = '\u0000';

/** JSON text of a value; with bigints `!<length of list>:<list of [path, digits]><JSON with nulls there>`. */
export function encodeSegment(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    const list: Array<[Array<string | number>, string]> = [];
    const text = JSON.stringify(withoutBigints(value, [], list));
    const listText = JSON.stringify(list);
    return `!${listText.length}:${listText}${text}`;
  }
}

function withoutBigints(value: unknown, path: Array<string | number>, list: Array<[Array<string | number>, string]>): unknown {
  if (typeof value === 'bigint') {
    list.push([path, String(value)]);
    return null;
  }
  if (Array.isArray(value)) return value.map((entry, index) => withoutBigints(entry, [...path, index], list));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withoutBigints(entry, [...path, key], list)]));
  }
  return value;
}

/** Reads what {@link encodeSegment} wrote (the prelude has its own copy of this, for inside the isolate). */
export function decodeSegment(text: string): unknown {
  if (text[0] !== '!') return JSON.parse(text);
  const colon = text.indexOf(':');
  const end = colon + 1 + Number(text.slice(1, colon));
  const value = JSON.parse(text.slice(end)) as Record<string, unknown>;
  for (const [path, digits] of JSON.parse(text.slice(colon + 1, end)) as Array<[string[], string]>) {
    let parent = value;
    for (const key of path.slice(0, -1)) parent = parent[key] as Record<string, unknown>;
    parent[path.at(-1)!] = BigInt(digits);
  }
  return value;
}

/** What the prelude says of a run. The parts are whatever the script made of them. */
export type Answer = { result?: unknown; updates?: unknown; state?: unknown; error?: unknown };

/**
 * A script's answer from the prelude's JSON. Bigints and numbers outside JSON come back as they were; a function, symbol or the like
 * comes back as a symbol whose description says what it was. Throws for anything that is no JSON object, or too deep to be looked at.
 */
export function decodeResult(text: string): Answer {
  const value: unknown = JSON.parse(text);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new TypeError('an answer that is no object');
  return (text.includes('"\\u0000"') ? withOddities(value) : value) as Answer;
}

function withOddities(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(withOddities);
  const keys = Object.keys(value);
  if (keys.length === 1 && keys[0] === oddityKey) return oddity((value as Record<string, unknown>)[oddityKey]);
  const result: Record<string, unknown> = {};
  for (const key of keys) {
    const entry = withOddities((value as Record<string, unknown>)[key]);
    Object.defineProperty(result, key, { value: entry, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

function oddity(tag: unknown): unknown {
  if (typeof tag !== 'string') return Symbol('value');
  if (/^-?\d{1,40}n$/.test(tag)) return BigInt(tag.slice(0, -1));
  if (tag === 'NaN' || tag === 'Infinity' || tag === '-Infinity') return Number(tag);
  return Symbol(tag.slice(0, 40));
}
