/** Between the plain form of NRI's messages and what a script author sees. */
import type { Container, ContainerAdjustment, LinuxContainerAdjustment } from '../../types/index.d.ts';
import type { WireAdjustment } from './answer.ts';
import { put } from './value-types.ts';

/** A container with its environment as on the wire. */
export type WireContainer = Omit<Container, 'env'> & { env: string[] };

/** The container as scripts see it: `env` by name, of a name that stands twice the last. */
export function containerForAuthor(container: WireContainer): Container {
  const env: Record<string, string> = {};
  for (const entry of container.env) {
    const equals = entry.indexOf('=');
    if (equals < 0) put(env, entry, '');
    else put(env, entry.slice(0, equals), entry.slice(equals + 1));
  }
  return { ...container, env };
}

/** An adjustment as scripts write it: removal marks become null or `remove: true` (fact E4). */
export function adjustmentForAuthor(adjust: WireAdjustment): ContainerAdjustment {
  const { annotations, mounts, env, linux, ...same } = adjust;
  return {
    ...same,
    ...(annotations && { annotations: recordForAuthor(Object.entries(annotations)) }),
    ...(mounts && { mounts: listForAuthor(mounts, 'destination') }),
    ...(env && { env: recordForAuthor(env.map(({ key, value }) => [key, value])) }),
    ...(linux && { linux: linuxForAuthor(linux) }),
  };
}

function linuxForAuthor(linux: NonNullable<WireAdjustment['linux']>): LinuxContainerAdjustment {
  const { devices, namespaces, sysctl, netDevices, ...same } = linux;
  return {
    ...same,
    ...(devices && { devices: listForAuthor(devices, 'path') }),
    ...(namespaces && { namespaces: listForAuthor(namespaces, 'type') }),
    ...(sysctl && { sysctl: recordForAuthor(Object.entries(sysctl)) }),
    ...(netDevices && { netDevices: recordForAuthor(Object.entries(netDevices)) }),
  } as LinuxContainerAdjustment;
}

/** A mark beside a value is an override: the value stays. */
function recordForAuthor<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value | null> {
  const record: Record<string, Value | null> = {};
  for (const [key, value] of entries) {
    if (!key.startsWith('-')) put(record, key, value);
    else if (!Object.hasOwn(record, key.slice(1))) put(record, key.slice(1), null);
  }
  return record;
}

function listForAuthor<Key extends string, Entry extends Record<Key, string>>(entries: readonly Entry[], key: Key) {
  return entries.map(entry => (entry[key].startsWith('-') ? { [key]: entry[key].slice(1), remove: true as const } : entry)) as (
    | Entry
    | (Record<Key, string> & { remove: true })
  )[];
}
