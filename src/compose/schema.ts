/** Every field that a script can change, in one table. */
import * as formats from './formats.ts';
import { boolean, int64, type ListType, type MessageType, type TextType, uint64, type ValueType } from './value-types.ts';

/** Leave that a script needs for what can break isolation (`allow: [mounts]` in its settings). */
export type Grant = (typeof grants)[number];

export const grants = [
  'mounts',
  'devices',
  'cdiDevices',
  'netDevices',
  'hooks',
  'args',
  'namespaces',
  'seccompPolicy',
  'sysctl',
  'cgroupsPath',
  'deviceRules',
] as const;

/** `create` adjusts the container that is being created, `update` changes the resources of one that exists. */
export type Event = 'create' | 'update';

/**
 * What NRI makes of a removal that stands alone: `done`; `plugin-values`, which undoes only what an earlier plugin set (fact E5); or not
 * forwarded at all before the NRI version given.
 */
export type Removal = 'done' | 'plugin-values' | { before: string };

type Common = {
  /** From the adjustment's root, and the same from the container's: `linux.resources.cpu.quota`. */
  name: string;
  path: readonly string[];
  grant?: Grant;
  /** The first NRI version that knows the field (fact E10). */
  since?: string;
  removal?: Removal;
  /** What the runtime makes of this value that its author may not expect. */
  caution?: Caution;
};

/** `original` is what the container had, undefined for nothing. */
type Caution = (event: Event, value: unknown, original: unknown) => { code: 'NOT_APPLIED' | 'RLIMIT_REPEATED'; text: string } | undefined;

/** A value that is set as a whole. `unset` is the value that NRI takes for an absent field. */
export type ValueField = Common & { form: 'value'; type: ValueType; unset?: '' | 'empty list' };

/** A record by key. On the wire a map, with `entries` a list of {key, value}, which can hold a removal mark beside the new value. */
export type RecordField = Common & { form: 'record'; key: TextType; type: ValueType; entries: boolean };

/** A list of entries with a key. `override`: a removal mark beside the new value overrides another plugin's. */
export type ListField = Common & { form: 'list'; key: string; type: MessageType; override: boolean };

/** A list that is only ever appended to. */
export type AppendField = Common & { form: 'append'; type: ListType };

/** True removes all of `clears`. With a new value beside it NRI clears only what earlier plugins set, not what the container has. */
export type ClearField = Common & { form: 'clear'; clears: readonly string[] };

export type Field = ValueField | RecordField | ListField | AppendField | ClearField;

const notApplied = (text: string) => ({ code: 'NOT_APPLIED' as const, text });
const notInUpdates = notApplied('containerd does not apply it in updates');

/** Facts E8 and F4. */
const neverApplied: Caution = event => (event === 'create' ? notApplied('runtimes do not apply it at creation') : notInUpdates);
const creationOnly: Caution = event => (event === 'update' ? notInUpdates : undefined);
const ignoredInUpdates: Caution = event => (event === 'update' ? notApplied('NRI ignores it in updates') : undefined);
const zeroIgnored: Caution = (event, limit) =>
  event === 'create' && limit === 0 ? notApplied('runtimes take 0 for no change at creation; -1 is no limit') : undefined;

/** Fact E5: an rlimit is appended, not replaced; OCI config.md, "POSIX process": a type that stands twice is an error. */
const repeated: Caution = (_event, _value, original) =>
  original === undefined
    ? undefined
    : { code: 'RLIMIT_REPEATED', text: 'the container has this type already; NRI adds a second entry, and the OCI runtime may refuse it' };

const rdtFields = ['linux.rdt.closId', 'linux.rdt.schemata', 'linux.rdt.enableMonitoring'];

export const fields: readonly Field[] = [
  record('annotations', formats.annotationKey, formats.annotationValue, { removal: 'done' }),
  list('mounts', 'destination', formats.mount, { removal: 'done', override: true, grant: 'mounts' }),
  record('env', formats.envName, formats.envValue, { removal: 'plugin-values', entries: true }),
  ...['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'].map(stage =>
    append(`hooks.${stage}`, formats.hooks, { grant: 'hooks' }),
  ),
  list('rlimits', 'type', formats.rlimit, { since: '0.4.0', caution: repeated }),
  list('cdiDevices', 'name', formats.cdiDevice, { since: '0.7.0', grant: 'cdiDevices' }),
  value('args', formats.args, { since: '0.10.0', grant: 'args', unset: 'empty list' }),

  list('linux.devices', 'path', formats.device, { removal: 'plugin-values', override: true, grant: 'devices' }),
  value('linux.cgroupsPath', formats.cgroupsPath, { grant: 'cgroupsPath', unset: '' }),
  value('linux.oomScoreAdj', formats.oomScoreAdj, { since: '0.7.0' }),
  value('linux.ioPriority', formats.ioPriority, { since: '0.10.0' }),
  value('linux.seccompPolicy', formats.seccompPolicy, { since: '0.10.0', grant: 'seccompPolicy' }),
  list('linux.namespaces', 'type', formats.namespace, { since: '0.10.0', removal: 'done', grant: 'namespaces' }),
  // Up to v0.12.2 a removal that stands alone lands among the annotations.
  record('linux.sysctl', formats.sysctlKey, formats.sysctlValue, { since: '0.11.0', removal: { before: '0.12.3' }, grant: 'sysctl' }),
  record('linux.netDevices', formats.interfaceName, formats.netDevice, {
    since: '0.11.0',
    removal: { before: 'any' },
    grant: 'netDevices',
  }),
  value('linux.scheduler', formats.scheduler, { since: '0.11.0' }),
  value('linux.rdt.closId', formats.closId, { since: '0.11.0', removal: 'done' }),
  value('linux.rdt.schemata', formats.schemata, { since: '0.11.0', removal: 'done' }),
  value('linux.rdt.enableMonitoring', boolean, { since: '0.11.0', removal: 'done' }),
  { ...common('linux.rdt.remove', { since: '0.11.0' }), form: 'clear', clears: rdtFields },
  value('linux.memoryPolicy', formats.memoryPolicy, { since: '0.12.0' }),

  value('linux.resources.memory.limit', int64, { caution: zeroIgnored }),
  value('linux.resources.memory.reservation', int64, { caution: neverApplied }),
  value('linux.resources.memory.swap', int64, { caution: neverApplied }),
  value('linux.resources.memory.kernel', int64, { caution: neverApplied }),
  value('linux.resources.memory.kernelTcp', int64, { caution: neverApplied }),
  value('linux.resources.memory.swappiness', formats.swappiness, { caution: neverApplied }),
  value('linux.resources.memory.disableOomKiller', boolean, { caution: neverApplied }),
  value('linux.resources.memory.useHierarchy', boolean, { caution: neverApplied }),
  value('linux.resources.cpu.shares', uint64),
  value('linux.resources.cpu.quota', int64),
  value('linux.resources.cpu.period', uint64),
  value('linux.resources.cpu.realtimeRuntime', int64, { caution: creationOnly }),
  value('linux.resources.cpu.realtimePeriod', uint64, { caution: creationOnly }),
  value('linux.resources.cpu.cpus', formats.numberList, { unset: '' }),
  value('linux.resources.cpu.mems', formats.numberList, { unset: '' }),
  list('linux.resources.hugepageLimits', 'pageSize', formats.hugepageLimit),
  value('linux.resources.blockioClass', formats.className, { caution: creationOnly }),
  value('linux.resources.rdtClass', formats.className, { caution: creationOnly }),
  record('linux.resources.unified', formats.cgroupFile, formats.cgroupValue),
  append('linux.resources.devices', formats.deviceRules, { since: '0.10.0', grant: 'deviceRules', caution: ignoredInUpdates }),
  value('linux.resources.pids.limit', int64, { since: '0.7.0', caution: ignoredInUpdates }),
];

/** Fields by their place. */
export type Node = Map<string, Node | Field>;

/** What `adjust` may hold. */
export const adjustTree: Node = treeOf(fields);

/** Members of a container that scripts can change. */
export const adjustableMembers: readonly string[] = [...adjustTree.keys()];

/** What an update's `linux` may hold. */
export const updateTree: Node = new Map([['resources', (adjustTree.get('linux') as Node).get('resources')!]]);

const byName = new Map(fields.map(field => [field.name, field]));

/** The field with this name, which must exist. */
export function fieldNamed(name: string): Field {
  const field = byName.get(name);
  if (!field) throw new Error(`no field ${name}`);
  return field;
}

/** Where a name stands that was written in a wrong place: `cpus` is `linux.resources.cpu.cpus`. Undefined when nowhere or twice. */
export function placeOf(name: string, ofResources: boolean): string | undefined {
  const places = new Set<string>();
  for (const { path } of fields) {
    const index = path.lastIndexOf(name);
    if (index >= 0 && (!ofResources || path[1] === 'resources')) places.add(path.slice(0, index + 1).join('.'));
  }
  return places.size === 1 ? [...places][0] : undefined;
}

function treeOf(all: readonly Field[]): Node {
  const root: Node = new Map();
  for (const field of all) {
    let node = root;
    for (const step of field.path.slice(0, -1)) {
      const next = (node.get(step) as Node | undefined) ?? new Map();
      node.set(step, next);
      node = next;
    }
    node.set(field.path[field.path.length - 1]!, field);
  }
  return root;
}

type Traits = Omit<Common, 'name' | 'path'>;

function common(name: string, traits: Traits): Common {
  return { ...traits, name, path: name.split('.') };
}

function value(name: string, type: ValueType, { unset, ...traits }: Traits & { unset?: '' | 'empty list' } = {}): ValueField {
  return { ...common(name, traits), form: 'value', type, ...(unset !== undefined && { unset }) };
}

function record(
  name: string,
  key: TextType,
  type: ValueType,
  { entries = false, ...traits }: Traits & { entries?: boolean } = {},
): RecordField {
  return { ...common(name, traits), form: 'record', key, type, entries };
}

function list(
  name: string,
  key: string,
  type: MessageType,
  { override = false, ...traits }: Traits & { override?: boolean } = {},
): ListField {
  return { ...common(name, traits), form: 'list', key, type, override };
}

function append(name: string, type: ListType, traits: Traits = {}): AppendField {
  return { ...common(name, traits), form: 'append', type };
}
