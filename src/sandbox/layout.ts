/**
 * How an event's properties cross: each as one short text, with null in place of its large members, and those as texts of their own, of
 * which a script pays only for the ones that it reads.
 */
import { encodeSegment } from './values.ts';

/** A property's name, and the names of the members that stand apart. */
export type Layout = { name: string; parts: string[] };

export type LaidOut = {
  layout: Layout;
  /** The property without its parts, and the parts in their order; texts of values.ts. */
  texts: string[];
};

/** Members whose JSON is shorter than this are parsed with the rest: looking one up costs about as much as parsing so many characters. */
const shortest = 256;
/** Containers have a dozen large members; records by name or id, as owners are, have any number, and stay in one piece. */
export const maxParts = 32;

/** Lays out one property of an event. Only the members of plain objects with few members stand apart. */
export function layOut(name: string, value: unknown): LaidOut {
  const isWhole = value === null || typeof value !== 'object' || Array.isArray(value) || Object.keys(value).length > maxParts;
  if (isWhole) return { layout: { name, parts: [] }, texts: [textOf(value)] };
  const rest: Record<string, unknown> = {};
  const parts: string[] = [];
  const texts: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    rest[key] = member;
    if (member === null || typeof member !== 'object') continue;
    const text = textOf(member);
    if (text.length < shortest) continue;
    rest[key] = null;
    parts.push(key);
    texts.push(text);
  }
  return { layout: { name, parts }, texts: [textOf(rest), ...texts] };
}

/** What is not there is null. */
function textOf(value: unknown): string {
  return encodeSegment(value ?? null);
}
