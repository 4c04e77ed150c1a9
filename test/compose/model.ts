/** How NRI treats one plugin's answer, written down again from the facts: what composition is measured against. */
import assert from 'node:assert/strict';
import type { WireAdjustment } from '../../src/compose/index.ts';
import type { Container } from '../../types/index.d.ts';

type Entry = Record<string, unknown>;

/** Fails on what would conflict with itself (fact E3), lose its value (fact E5b) or is not understood. */
export function assertNoConflict({ annotations, mounts, env, rlimits, cdiDevices, args, linux }: WireAdjustment): void {
  for (const map of [annotations, linux?.sysctl, linux?.netDevices]) {
    for (const key of Object.keys(map ?? {})) assert.ok(!Object.hasOwn(map!, `-${key}`), `-${key} beside ${key}`);
  }
  unique(mounts, 'destination');
  unique(env, 'key');
  unique(linux?.devices, 'path');
  unique(rlimits, 'type');
  unique(cdiDevices, 'name');
  unique(linux?.resources?.hugepageLimits, 'pageSize');
  // Fact E5: a namespace's removal claims its type too.
  unique(
    linux?.namespaces?.map(({ type }) => ({ type: type.replace(/^-/, '') })),
    'type',
  );
  assert.notEqual(args?.[0], '');
  assert.ok(!Object.values<unknown>(linux ?? {}).includes(undefined));
}

function unique(entries: readonly object[] | undefined, key: string): void {
  const keys = (entries ?? []).map(entry => (entry as Entry)[key]);
  assert.equal(new Set(keys).size, keys.length, `${keys}`);
}

/** The container after an adjustment, with lists as records by their key: order says nothing. */
export function adjusted(container: Container, adjust: WireAdjustment): unknown {
  const model = normalized(container);
  const linux = adjust.linux ?? {};
  applyMap(model.annotations, Object.entries(adjust.annotations ?? {}));
  applyMap(
    model.env,
    (adjust.env ?? []).map(({ key, value }) => [key, value]),
  );
  applyList(model.mounts, adjust.mounts, 'destination');
  applyList(model.rlimits, adjust.rlimits, 'type');
  applyList(model.cdiDevices, adjust.cdiDevices, 'name');
  if (adjust.args) model.args = adjust.args;
  for (const [stage, hooks] of Object.entries(adjust.hooks ?? {})) model.hooks[stage] = [...(model.hooks[stage] ?? []), ...hooks];
  applyList(model.linux.devices, linux.devices, 'path');
  applyList(model.linux.namespaces, linux.namespaces, 'type');
  applyMap(model.linux.sysctl, Object.entries(linux.sysctl ?? {}));
  applyMap(model.linux.netDevices, Object.entries(linux.netDevices ?? {}));
  const { remove, ...rdt } = linux.rdt ?? {};
  model.linux.rdt = { ...(remove ? {} : model.linux.rdt), ...rdt };
  for (const name of ['cgroupsPath', 'oomScoreAdj', 'ioPriority', 'scheduler', 'seccompPolicy'] as const) {
    if (linux[name] !== undefined) model.linux.whole[name] = linux[name];
  }
  const { memory, cpu, hugepageLimits, unified, devices, ...scalars } = linux.resources ?? {};
  Object.assign(model.linux.memory, memory);
  Object.assign(model.linux.cpu, cpu);
  Object.assign(model.linux.scalars, scalars);
  applyList(model.linux.hugepageLimits, hugepageLimits, 'pageSize');
  applyMap(model.linux.unified, Object.entries(unified ?? {}));
  model.linux.rules.push(...(devices ?? []));
  return model;
}

/** A container in the shape that {@link adjusted} gives. */
export function normalized({ annotations, env, mounts, rlimits, cdiDevices, args, hooks, linux }: Container) {
  const { namespaces, devices, sysctl, netDevices, rdt, resources } = linux!;
  const { memory, cpu, hugepageLimits, unified, devices: rules, ...scalars } = resources ?? {};
  const whole: Entry = {};
  for (const name of ['cgroupsPath', 'oomScoreAdj', 'ioPriority', 'scheduler', 'seccompPolicy'] as const) whole[name] = linux![name];
  return {
    annotations: { ...annotations } as Entry,
    env: { ...env } as Entry,
    mounts: byKey(mounts, 'destination'),
    rlimits: byKey(rlimits, 'type'),
    cdiDevices: byKey(cdiDevices, 'name'),
    args,
    hooks: { ...hooks } as Record<string, unknown[]>,
    linux: {
      namespaces: byKey(namespaces, 'type'),
      devices: byKey(devices, 'path'),
      sysctl: { ...sysctl } as Entry,
      netDevices: { ...netDevices } as Entry,
      rdt: { ...rdt } as Entry,
      whole,
      memory: { ...memory } as Entry,
      cpu: { ...cpu } as Entry,
      scalars: { ...scalars } as Entry,
      hugepageLimits: byKey(hugepageLimits ?? [], 'pageSize'),
      unified: { ...unified } as Entry,
      rules: [...(rules ?? [])] as unknown[],
    },
  };
}

function byKey(entries: readonly object[], key: string): Entry {
  return Object.fromEntries(entries.map(entry => [(entry as Entry)[key], entry]));
}

/** Marks first: beside a new value they override, whatever the order (fact E4). */
function applyMap(map: Entry, entries: readonly (readonly [string, unknown])[]): void {
  for (const [key] of entries) if (key.startsWith('-')) delete map[key.slice(1)];
  for (const [key, value] of entries) if (!key.startsWith('-')) map[key] = value;
}

function applyList(map: Entry, entries: readonly object[] | undefined, key: string): void {
  applyMap(
    map,
    (entries ?? []).map(entry => [(entry as Entry)[key] as string, entry]),
  );
}
