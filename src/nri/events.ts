/**
 * NRI's events by the names of their handlers, with the messages that they carry.
 */
import type { CreateContainerResponse, MessageName, Messages, ValidateContainerAdjustmentResponse } from './messages.ts';

/** In the order of NRI's Event enumeration, from 1 (fact C7). */
export const eventNames = [
  'runPodSandbox',
  'stopPodSandbox',
  'removePodSandbox',
  'createContainer',
  'postCreateContainer',
  'startContainer',
  'postStartContainer',
  'updateContainer',
  'postUpdateContainer',
  'stopContainer',
  'removeContainer',
  'updatePodSandbox',
  'postUpdatePodSandbox',
  'validateContainerAdjustment',
] as const;

export type EventName = (typeof eventNames)[number];

/** What comes with an event: `{ pod }`, `{ pod, container }` and what the event adds to it. */
export type EventRequest<Name extends EventName = EventName> = Messages[`${Capitalize<Name>}Request` & MessageName];

/** What may be answered to an event; the parts that its NRI message does not have are not sent. */
export type EventResponse = CreateContainerResponse & ValidateContainerAdjustmentResponse;

/** The event's bit in a subscription mask: `1 << (event - 1)`. */
export function eventBit(name: EventName): number {
  return 1 << eventNames.indexOf(name);
}

/** The mask of these events. */
export function eventMask(names: Iterable<EventName>): number {
  let mask = 0;
  for (const name of names) mask |= eventBit(name);
  return mask;
}

/** The name of the event's method, and the stem of its messages' names: `CreateContainer`. */
export function methodOf<Name extends EventName>(name: Name): Capitalize<Name> {
  return (name[0]!.toUpperCase() + name.slice(1)) as Capitalize<Name>;
}

/** The event's name in NRI's Event enumeration: `CREATE_CONTAINER`. */
export function enumNameOf(name: EventName): string {
  return name.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase();
}

/** The event of a method's name, or undefined. */
export function eventOfMethod(method: string): EventName | undefined {
  return byMethod.get(method);
}

/** The event that a StateChange of this Event enumeration name stands for, or undefined (fact D8). */
export function eventOfStateChange(enumName: string): EventName | undefined {
  return byStateChange.get(enumName);
}

/** True for the events that NRI before 0.12 delivers by StateChange (fact D8). */
export function isStateChange(name: EventName): boolean {
  return byStateChange.has(enumNameOf(name));
}

const byMethod: ReadonlyMap<string, EventName> = new Map(eventNames.map(name => [methodOf(name), name]));

const byStateChange: ReadonlyMap<string, EventName> = new Map(
  (
    [
      'runPodSandbox',
      'stopPodSandbox',
      'removePodSandbox',
      'postUpdatePodSandbox',
      'postCreateContainer',
      'startContainer',
      'postStartContainer',
      'postUpdateContainer',
      'removeContainer',
    ] as const
  ).map(name => [enumNameOf(name), name]),
);
