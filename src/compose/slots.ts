/** The merged state of one container: a slot for every field and key that a script has claimed. */
import type { Claim } from './claims.ts';
import { same } from './same.ts';
import type { Field } from './schema.ts';
import { isRecord, own } from './value-types.ts';

export type Loser = { script: string; value: unknown };

export type Slot = {
  readonly field: Field;
  /** Empty for fields without keys. */
  readonly key: string;
  /** The field with its key, for the ledger: `env.FOO`, `mounts[/data]`. */
  readonly id: string;
  /** What the container had; undefined for nothing. */
  readonly original: unknown;
  /** What it will have; undefined for nothing. */
  current: unknown;
  /** Whether `current` differs from `original`. */
  changed: boolean;
  /** Whether a script removed what the container had, even if another value was set later. */
  removed: boolean;
  /** The script whose change counts. */
  by: string | undefined;
  /** The first script that asked for what was there anyway. */
  idle: string | undefined;
  lost: Loser[];
  /** Of an append field: who appended what. */
  appended: { script: string; value: readonly unknown[] }[];
};

/** A container that scripts change. */
export type Target = {
  readonly id: string;
  /** The container, or its `linux.resources` alone; undefined when it is not known. */
  readonly base: object | undefined;
  readonly slots: Map<string, Slot>;
  /** Whether all updates so far tolerate failure; undefined before the first (fact F2). */
  ignoreFailure: boolean | undefined;
};

export function createTarget(id: string, base: object | undefined): Target {
  return { id, base, slots: new Map(), ignoreFailure: undefined };
}

/** The slot of a claim, made when it is the first one there. */
export function slotOf(target: Target, claim: Claim): Slot {
  const { field, key } = claim;
  const id = idOf(field, key);
  let slot = target.slots.get(id);
  if (!slot) {
    const original = originalOf(field, key, target.base);
    slot = {
      field,
      key,
      id,
      original,
      current: original,
      changed: false,
      removed: false,
      by: undefined,
      idle: undefined,
      lost: [],
      appended: [],
    };
    target.slots.set(id, slot);
  }
  return slot;
}

/** Whether the claim asks for what is there. */
export function isIdle(slot: Slot, claim: Claim): boolean {
  switch (claim.action) {
    case 'remove':
      return slot.current === undefined;
    case 'set':
      return same(claim.field.type, slot.current, withoutUnset(claim.field, claim.value));
    case 'append':
      return news(slot, claim).length === 0;
  }
}

/** Carries out a claim that is not idle. */
export function apply(slot: Slot, claim: Claim, script: string): void {
  if (claim.action === 'append') {
    const value = news(slot, claim);
    slot.appended.push({ script, value });
    slot.current = [...((slot.current as unknown[] | undefined) ?? []), ...value];
    slot.changed = true;
  } else {
    if (slot.by !== undefined && slot.by !== script) slot.lost.push({ script: slot.by, value: slot.current ?? null });
    if (claim.action === 'remove') slot.removed ||= slot.original !== undefined;
    slot.current = claim.action === 'remove' ? undefined : withoutUnset(claim.field, claim.value);
    slot.changed = !same(claim.field.type, slot.original, slot.current);
  }
  slot.by = script;
}

/** Whether NRI takes this value for an absent field. */
export function isUnset(field: Field, value: unknown): boolean {
  if (field.form !== 'value') return false;
  return field.unset === '' ? value === '' : field.unset === 'empty list' && Array.isArray(value) && value.length === 0;
}

/** What a field that is appended to holds, as a list. */
function news(slot: Slot, claim: Claim & { action: 'append' }): readonly unknown[] {
  const seen = slot.current as unknown[] | undefined;
  if (seen === undefined || seen.length === 0 || claim.value.length < seen.length) return claim.value;
  const extendsSeen = seen.every((entry, index) => same(claim.field.type.of, entry, claim.value[index]));
  return extendsSeen ? claim.value.slice(seen.length) : claim.value;
}

function withoutUnset(field: Field, value: unknown): unknown {
  return isUnset(field, value) ? undefined : value;
}

function idOf(field: Field, key: string): string {
  if (field.form === 'record') return `${field.name}.${key}`;
  if (field.form === 'list') return `${field.name}[${key}]`;
  return field.name;
}

function originalOf(field: Field, key: string, base: object | undefined): unknown {
  let value: unknown = base;
  for (const step of field.path) {
    if (!isRecord(value)) return undefined;
    value = own(value, step);
  }
  if (field.form === 'record') return isRecord(value) ? own(value, key) : undefined;
  if (field.form === 'list') return Array.isArray(value) ? value.findLast(entry => isRecord(entry) && entry[field.key] === key) : undefined;
  return value === null ? undefined : withoutUnset(field, value);
}
