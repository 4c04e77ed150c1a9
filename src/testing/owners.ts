/**
 * Who set which field of which container: NRI's claim rule (facts E3, E4) and the record that validators get (fact G3).
 */

import { type Field, fieldNames } from '../nri/fields.ts';
import type { FieldOwners } from '../nri/messages.ts';
import type { MergeRules } from './merge-rules.ts';
import { OperationError } from './operation-error.ts';

/** Per container id and field: `NN-name` of the owner, or the owners by key. `-NN-name` cleared it, `a,b` both added hooks. */
export type NamedOwners = Record<string, Record<string, string | Record<string, string>>>;

export type Owners = {
  /** Takes a field that has no keys. Throws CONFLICT when it is taken, by this plugin too. */
  claim(containerId: string, field: Field, plugin: string): void;
  /** Takes one key of a field. Throws CONFLICT when it is taken, by this plugin too. */
  claimKey(containerId: string, field: Field, key: string, plugin: string): void;
  /** Undoes a claim: only this plugin may make the next, by older rules any. */
  clear(containerId: string, field: Field, plugin: string): void;
  clearKey(containerId: string, field: Field, key: string, plugin: string): void;
  /** Shares a field with the plugins that added to it before. */
  share(containerId: string, field: Field, plugin: string): void;
  /** As in ValidateContainerAdjustmentRequest. */
  message(): { owners: Record<string, FieldOwners> };
  named(): NamedOwners;
};

type ContainerOwners = { simple: Map<Field, string>; compound: Map<Field, Map<string, string>> };

export function createOwners(rules: MergeRules): Owners {
  const containers = new Map<string, ContainerOwners>();

  function of(containerId: string): ContainerOwners {
    const owners = containers.get(containerId) ?? { simple: new Map(), compound: new Map() };
    containers.set(containerId, owners);
    return owners;
  }

  function keysOf(containerId: string, field: Field): Map<string, string> {
    const { compound } = of(containerId);
    const keys = compound.get(field) ?? new Map<string, string>();
    compound.set(field, keys);
    return keys;
  }

  function free<Key>(owners: Map<Key, string>, key: Key, plugin: string): void {
    if (rules.keepsCleared) owners.set(key, `-${plugin}`);
    else owners.delete(key);
  }

  return {
    claim(containerId, field, plugin) {
      const { simple } = of(containerId);
      refuse(simple.get(field), plugin, rules.subject(field));
      simple.set(field, plugin);
    },
    claimKey(containerId, field, key, plugin) {
      const keys = keysOf(containerId, field);
      refuse(keys.get(key), plugin, rules.subject(field, key));
      keys.set(key, plugin);
    },
    clear: (containerId, field, plugin) => free(of(containerId).simple, field, plugin),
    clearKey: (containerId, field, key, plugin) => free(keysOf(containerId, field), key, plugin),
    share(containerId, field, plugin) {
      const { simple } = of(containerId);
      const owner = simple.get(field);
      simple.set(field, owner === undefined ? plugin : `${owner},${plugin}`);
    },
    message() {
      const number = (field: Field) => String(fieldNames.indexOf(field));
      const entries = [...containers].map(([id, { simple, compound }]): [string, FieldOwners] => [
        id,
        {
          simple: Object.fromEntries([...simple].map(([field, owner]) => [number(field), owner])),
          compound: Object.fromEntries([...compound].map(([field, keys]) => [number(field), { owners: Object.fromEntries(keys) }])),
        },
      ]);
      return { owners: Object.fromEntries(entries) };
    },
    named() {
      const entries = [...containers].map(([id, { simple, compound }]): [string, NamedOwners[string]] => [
        id,
        { ...Object.fromEntries(simple), ...Object.fromEntries([...compound].map(([field, keys]) => [field, Object.fromEntries(keys)])) },
      ]);
      return Object.fromEntries(entries);
    },
  };
}

function refuse(owner: string | undefined, plugin: string, what: string): void {
  if (owner === undefined || owner === `-${plugin}`) return;
  const other = owner.startsWith('-') ? owner.slice(1) : owner;
  throw new OperationError('CONFLICT', `plugins "${plugin}" and "${other}" both tried to set ${what}`, [plugin, other]);
}
