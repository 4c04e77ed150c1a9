/** Reads what a script returned into claims: one for every field and key that it sets, removes or appends to. */
import { check, checkText, unknownField } from './check.ts';
import { isFull, type Report, refuse } from './problems.ts';
import {
  type AppendField,
  adjustTree,
  type ClearField,
  type Event,
  type Field,
  fieldNamed,
  type ListField,
  type Node,
  placeOf,
  type RecordField,
  updateTree,
  type ValueField,
} from './schema.ts';
import { boolean, isRecord, text } from './value-types.ts';
import { member, show } from './wording.ts';

/** `remove` takes away what is there; `set` replaces it; `append` adds to it. `at` is the claim's place in the result. */
export type Claim =
  | { action: 'set'; field: ValueField | RecordField | ListField; key: string; value: unknown; at: string }
  | { action: 'remove'; field: ValueField | RecordField | ListField; key: string; at: string }
  | { action: 'append'; field: AppendField; key: ''; value: readonly unknown[]; at: string };

/** Claims on one container. */
export type UpdateClaims = { containerId: string; claims: Claim[]; ignoreFailure: boolean; at: string };

/** What a script returned. */
export type ResultClaims = { adjust: Claim[]; update: UpdateClaims[] };

const maxUpdates = 1024;
const maxKeys = 4096;
/** CRI ids are 64 hex digits; other runtimes' are not told. */
const containerId = text('a container id', 1024, /./);

/** Reads a result. Once `report.refused` is set the claims are incomplete and must not be used. */
export function readResult(event: Event, result: unknown, report: Report): ResultClaims {
  const claims: ResultClaims = { adjust: [], update: [] };
  if (!isRecord(result)) {
    refuse(report, 'WRONG_TYPE', 'result', `expected an object or nothing, got ${show(result)}`);
    return claims;
  }
  for (const name of Object.keys(result)) {
    if (isFull(report)) break;
    const value = result[name];
    if (name === 'update') {
      if (value !== undefined && value !== null) readUpdates(value, claims.update, report);
    } else if (name === 'adjust' && event === 'create') {
      if (value !== undefined && value !== null) readNode(adjustTree, value, 'adjust', claims.adjust, report);
    } else if (name === 'adjust') refuse(report, 'UNKNOWN_FIELD', name, 'only createContainer may adjust; return { update: [...] } here');
    else unknownResult(event, name, report);
  }
  return claims;
}

function unknownResult(event: Event, name: string, report: Report): void {
  const place = event === 'create' ? placeOf(name, false) : undefined;
  unknownField(name, event === 'create' ? ['adjust', 'update'] : ['update'], '', report, place && `adjust.${place}`);
}

function readUpdates(value: unknown, updates: UpdateClaims[], report: Report): void {
  if (!Array.isArray(value)) {
    refuse(report, 'WRONG_TYPE', 'update', `expected an array of updates, got ${show(value)}`);
  } else if (value.length > maxUpdates) {
    refuse(report, 'TOO_LARGE', 'update', `expected at most ${maxUpdates} updates, got ${value.length}`);
  } else {
    for (let index = 0; index < value.length && !isFull(report); index++) {
      updates.push(readUpdate(value[index], `update[${index}]`, report));
    }
  }
}

function readUpdate(value: unknown, at: string, report: Report): UpdateClaims {
  const update: UpdateClaims = { containerId: '', claims: [], ignoreFailure: false, at };
  if (!isRecord(value)) {
    refuse(report, 'WRONG_TYPE', at, `expected an object, got ${show(value)}`);
    return update;
  }
  for (const name of Object.keys(value)) {
    const given = value[name];
    if (name === 'containerId') update.containerId = checkText(containerId, given, `${at}.containerId`, report) ?? '';
    else if (name === 'linux') {
      if (given !== undefined) readNode(updateTree, given, `${at}.linux`, update.claims, report);
    } else if (name === 'ignoreFailure') {
      if (given !== undefined) update.ignoreFailure = check(boolean, given, `${at}.ignoreFailure`, report) === true;
    } else unknownField(name, ['containerId', 'linux', 'ignoreFailure'], at, report);
    if (isFull(report)) return update;
  }
  if (!Object.hasOwn(value, 'containerId')) refuse(report, 'MISSING_FIELD', `${at}.containerId`, 'missing; it is required');
  return update;
}

function readNode(node: Node, value: unknown, at: string, claims: Claim[], report: Report): void {
  if (!isRecord(value)) {
    refuse(report, 'WRONG_TYPE', at, `expected an object, got ${show(value)}`);
    return;
  }
  for (const name of Object.keys(value)) {
    if (isFull(report)) return;
    const known = node.get(name);
    const given = value[name];
    if (!known) unknownField(name, [...node.keys()], at, report, placeOf(name, at.startsWith('update')));
    else if (given === undefined) continue;
    else if (known instanceof Map) readNode(known, given, `${at}.${name}`, claims, report);
    else readField(known, given, `${at}.${name}`, claims, report);
  }
}

function readField(field: Field, value: unknown, at: string, claims: Claim[], report: Report): void {
  switch (field.form) {
    case 'value':
      claims.push({ action: 'set', field, key: '', value: check(field.type, value, at, report), at });
      return;
    case 'record':
      readRecord(field, value, at, claims, report);
      return;
    case 'list':
      readList(field, value, at, claims, report);
      return;
    case 'append': {
      const entries = check(field.type, value, at, report) as unknown[] | undefined;
      if (entries && entries.length > 0) claims.push({ action: 'append', field, key: '', value: entries, at });
      return;
    }
    case 'clear':
      readClear(field, value, at, claims, report);
  }
}

function readRecord(field: RecordField, value: unknown, at: string, claims: Claim[], report: Report): void {
  if (!isRecord(value)) {
    refuse(report, 'WRONG_TYPE', at, `expected an object, got ${show(value)}`);
    return;
  }
  const keys = Object.keys(value);
  if (keys.length > maxKeys) {
    refuse(report, 'TOO_LARGE', at, `expected at most ${maxKeys} entries, got ${keys.length}`);
    return;
  }
  for (const key of keys) {
    if (isFull(report)) return;
    const given = value[key];
    if (given === undefined) continue;
    const place = member(at, key);
    if (key.startsWith('-')) {
      const hint = field.removal ? `write ${key.slice(1, 61)}: null` : 'this field has no removal';
      refuse(report, 'REMOVAL_MARK', place, `a key that begins with "-" is NRI's removal mark: ${hint}`);
    } else if (checkText(field.key, key, place, report) === undefined) continue;
    else if (given !== null) claims.push({ action: 'set', field, key, value: check(field.type, given, place, report), at: place });
    else if (field.removal) claims.push({ action: 'remove', field, key, at: place });
    else refuse(report, 'WRONG_TYPE', place, 'NRI cannot remove it; leave the key out');
  }
}

function readList(field: ListField, value: unknown, at: string, claims: Claim[], report: Report): void {
  if (!Array.isArray(value)) {
    refuse(report, 'WRONG_TYPE', at, `expected an array, got ${show(value)}`);
    return;
  }
  if (value.length > maxKeys) {
    refuse(report, 'TOO_LARGE', at, `expected at most ${maxKeys} entries, got ${value.length}`);
    return;
  }
  const sets: Claim[] = [];
  const seen = new Set<string>();
  for (let index = 0; index < value.length && !isFull(report); index++) {
    const place = `${at}[${index}]`;
    const entry = value[index];
    const removes = field.removal !== undefined && isRecord(entry) && Object.hasOwn(entry, 'remove');
    const key = removes ? readRemoval(field, entry, place, report) : undefined;
    const cleaned = removes ? undefined : readEntry(field, entry, place, report);
    const found = key ?? (cleaned?.[field.key] as string | undefined);
    if (found === undefined) continue;
    const mark = removes ? `-${found}` : found;
    if (seen.has(mark)) refuse(report, 'DUPLICATE_KEY', place, `there are two entries for ${show(found)}; keep one`);
    seen.add(mark);
    // Removals come first: with a new value beside it a removal overrides another plugin's (fact E4), whatever the order.
    if (removes) claims.push({ action: 'remove', field, key: found, at: place });
    else sets.push({ action: 'set', field, key: found, value: cleaned, at: place });
  }
  claims.push(...sets);
}

function readEntry(field: ListField, entry: unknown, at: string, report: Report): Record<string, unknown> | undefined {
  if (isRecord(entry)) {
    const key = entry[field.key];
    if (typeof key === 'string' && key.startsWith('-')) {
      const hint = field.removal ? `write { ${field.key}: ${show(key.slice(1))}, remove: true }` : 'this field has no removal';
      refuse(report, 'REMOVAL_MARK', `${at}.${field.key}`, `a key that begins with "-" is NRI's removal mark: ${hint}`);
      return undefined;
    }
  }
  return check(field.type, entry, at, report) as Record<string, unknown> | undefined;
}

function readRemoval(field: ListField, entry: Record<string, unknown>, at: string, report: Report): string | undefined {
  for (const name of Object.keys(entry)) {
    if (name === 'remove' && entry[name] !== true) refuse(report, 'BAD_VALUE', `${at}.remove`, `expected true, got ${show(entry[name])}`);
    else if (name !== 'remove' && name !== field.key)
      refuse(report, 'UNKNOWN_FIELD', member(at, name), `a removal has only ${field.key} and remove`);
    if (isFull(report)) return undefined;
  }
  return check(field.type.members[field.key]!.type, entry[field.key], `${at}.${field.key}`, report) as string | undefined;
}

function readClear(field: ClearField, value: unknown, at: string, claims: Claim[], report: Report): void {
  if (check(boolean, value, at, report) !== true) return;
  // In front of the new values that may stand beside it.
  const removals = field.clears.map((name): Claim => ({ action: 'remove', field: fieldNamed(name) as ValueField, key: '', at }));
  claims.unshift(...removals);
}
