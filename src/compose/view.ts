/** A container with the changes of its slots, for the next script. */

import type { Field } from './schema.ts';
import type { Slot, Target } from './slots.ts';
import { isRecord, own, put } from './value-types.ts';

/** What a container's `linux` has at least. */
const emptyLinux = { namespaces: [], devices: [], cgroupsPath: '', sysctl: {}, netDevices: {} };

/** The target's base with its changes. Shares with the base what is not changed; the base itself when nothing is. */
export function changedBase(target: Target): object | undefined {
  const byField = new Map<Field, Slot[]>();
  for (const slot of target.slots.values()) {
    if (!slot.changed) continue;
    const slots = byField.get(slot.field);
    if (slots) slots.push(slot);
    else byField.set(slot.field, [slot]);
  }
  if (byField.size === 0) return target.base;
  const copied = new Set<object>();
  const root = { ...target.base };
  for (const [field, slots] of byField) {
    let node: Record<string, unknown> = root;
    for (const step of field.path.slice(0, -1)) {
      let next = own(node, step);
      if (!isRecord(next) || !copied.has(next)) {
        next = { ...(isRecord(next) ? next : step === 'linux' ? emptyLinux : {}) };
        copied.add(next as object);
        node[step] = next;
      }
      node = next as Record<string, unknown>;
    }
    const last = field.path[field.path.length - 1]!;
    const value = changedValue(field, own(node, last), slots);
    if (value === undefined) delete node[last];
    else node[last] = value;
  }
  return root;
}

function changedValue(field: Field, value: unknown, slots: readonly Slot[]): unknown {
  if (field.form === 'record') return changedRecord(value, slots);
  if (field.form === 'list') return changedList(value, field.key, slots);
  return slots[0]!.current;
}

function changedRecord(value: unknown, slots: readonly Slot[]): Record<string, unknown> {
  const record = isRecord(value) ? { ...value } : {};
  for (const { key, current } of slots) {
    if (current === undefined) delete record[key];
    else put(record, key, current);
  }
  return record;
}

/** A changed entry keeps its place, a new one goes to the end. */
function changedList(value: unknown, keyName: string, slots: readonly Slot[]): unknown[] {
  const pending = new Map(slots.map(slot => [slot.key, slot.current]));
  const changed = new Set(pending.keys());
  const list: unknown[] = [];
  const take = (key: string) => {
    const current = pending.get(key);
    if (current !== undefined) list.push(current);
    pending.delete(key);
  };
  for (const entry of Array.isArray(value) ? (value as unknown[]) : []) {
    const key = isRecord(entry) ? entry[keyName] : undefined;
    if (typeof key === 'string' && changed.has(key)) take(key);
    else list.push(entry);
  }
  for (const key of pending.keys()) take(key);
  return list;
}
