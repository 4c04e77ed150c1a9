/** Script results by their single claims: what is set or removed, by which script. */
import { int64s, uint64s } from './extremes.ts';

/** `key` is a record's or a list's; `value` null is a removal. */
export type Claim = { field: string; key?: string; value: unknown };

export type FieldKind = {
  field: string;
  /** The keys that a script may claim; of fields without keys, none. */
  keys?: readonly string[];
  /** For lists: the entry's member that is the key. */
  listKey?: string;
  /** Appended to, never in conflict. */
  appends?: boolean;
  removable?: boolean;
  /** What upstream 0.8 calls the field in its messages of conflicts; without keys. */
  subject?: string;
  /** A value for each number from 0 to 8, different if the type has so many. */
  value(number: number): unknown;
};

const resources = 'linux.resources';
const memory = `${resources}.memory`;
const cpu = `${resources}.cpu`;
const stages = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'];

/** What adjustments and updates have in common, as far as NRI 0.8 merges it. */
export const resourceKinds: readonly FieldKind[] = [
  { field: `${memory}.limit`, subject: 'memory limit', value: at(int64s) },
  { field: `${memory}.reservation`, subject: 'memory reservation', value: at(int64s) },
  { field: `${memory}.swap`, subject: 'memory swap limit', value: at(int64s) },
  { field: `${memory}.kernel`, subject: 'memory kernel limit', value: at(int64s) },
  { field: `${memory}.kernelTcp`, subject: 'memory TCP limit', value: at(int64s) },
  { field: `${memory}.swappiness`, subject: 'memory swappiness', value: number => number * 10 },
  { field: `${memory}.disableOomKiller`, subject: 'memory disable OOM killer', value: number => number % 2 === 0 },
  { field: `${memory}.useHierarchy`, subject: "memory 'UseHierarchy'", value: number => number % 2 === 0 },
  { field: `${cpu}.shares`, subject: 'CPU shares', value: at(uint64s) },
  { field: `${cpu}.quota`, subject: 'CPU quota', value: at(int64s) },
  { field: `${cpu}.period`, subject: 'CPU period', value: at(uint64s) },
  { field: `${cpu}.realtimeRuntime`, subject: 'CPU realtime runtime', value: at(int64s) },
  { field: `${cpu}.realtimePeriod`, subject: 'CPU realtime period', value: at(uint64s) },
  { field: `${cpu}.cpus`, subject: 'CPU pinning', value: number => `0-${number}` },
  { field: `${cpu}.mems`, subject: 'memory pinning', value: number => `${number}` },
  {
    field: `${resources}.hugepageLimits`,
    keys: ['2MB', '1GB'],
    listKey: 'pageSize',
    subject: 'hugepage limit of size',
    value: number => ({ limit: uint64s[number] }),
  },
  { field: `${resources}.unified`, keys: ['memory.high', 'memory.low'], subject: 'unified resource', value: String },
  { field: `${resources}.blockioClass`, subject: 'block I/O class', value: number => `class-${number}` },
  { field: `${resources}.rdtClass`, subject: 'RDT class', value: number => (number === 0 ? '' : `class-${number}`) },
];

/** What only adjustments have. `orig` keys are the container's own (see {@link richContainer}). */
export const adjustmentKinds: readonly FieldKind[] = [
  ...resourceKinds,
  { field: `${resources}.pids.limit`, subject: 'pids pinning', value: at(int64s) },
  { field: 'annotations', keys: ['new.a', 'new/b', 'orig'], removable: true, subject: 'annotation', value: number => `v${number}` },
  {
    field: 'env',
    keys: ['NEW', 'ÜML', 'ORIG'],
    removable: true,
    subject: 'env',
    value: number => (number === 0 ? '' : `${number}=x`),
  },
  {
    field: 'mounts',
    keys: ['/new', '/new/below', '/orig'],
    listKey: 'destination',
    removable: true,
    subject: 'mount',
    value: number => ({ type: 'bind', source: `/s${number}`, options: number === 1 ? [] : ['rbind', 'ro'] }),
  },
  {
    field: 'rlimits',
    keys: ['RLIMIT_NOFILE', 'RLIMIT_CORE'],
    listKey: 'type',
    subject: 'rlimit',
    value: number => ({ hard: 2n ** 64n - 1n - BigInt(number), soft: number }),
  },
  ...stages.map(stage => ({
    field: `hooks.${stage}`,
    appends: true,
    value: (number: number) => [{ path: `/hook-${number}`, args: ['hook', ''], env: ['A=b'], ...(number > 0 && { timeout: number }) }],
  })),
  {
    field: 'linux.devices',
    keys: ['/dev/new', '/dev/orig'],
    listKey: 'path',
    removable: true,
    subject: 'device',
    value: number => ({ type: 'c', major: int64s[number], minor: number, ...(number % 2 === 0 && { fileMode: 0, uid: 0, gid: number }) }),
  },
  { field: 'linux.cgroupsPath', subject: 'cgroups path', value: number => `/group-${number}` },
  { field: 'linux.oomScoreAdj', subject: 'oom score adj', value: number => number - 4 },
];

/** The result that makes these claims: `{ adjust }`, or the `linux` of an update. */
export function objectOf(claims: readonly Claim[], kinds: readonly FieldKind[]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const { field, key, value } of claims) {
    const kind = kinds.find(each => each.field === field);
    const path = field.split('.');
    const name = path.pop()!;
    let parent = root;
    for (const step of path) parent = member(parent, step, {}) as Record<string, unknown>;
    if (key === undefined) parent[name] = value;
    else if (kind?.listKey === undefined) Object.assign(member(parent, name, {}), { [key]: value });
    else {
      const entry = value === null ? { remove: true } : (value as object);
      (member(parent, name, []) as unknown[]).push({ [kind.listKey]: key, ...entry });
    }
  }
  return root;
}

function member(parent: Record<string, unknown>, name: string, empty: object): object {
  parent[name] ??= empty;
  return parent[name] as object;
}

function at<Value>(values: readonly Value[]): (number: number) => Value {
  return number => values[number]!;
}
