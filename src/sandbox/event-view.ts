/**
 * An event as its next script sees it: as the earlier ones changed it.
 *
 * What they returned is merged when a script reads what may have changed, or shortly before: most scripts read names and annotations alone.
 */
import type { Container, LinuxResources } from '../../types/index.d.ts';
import {
  adjustableMembers,
  beginCreate,
  beginUpdate,
  type Composition,
  contribute,
  type Grant,
  viewContainer,
  viewResources,
} from '../compose/index.ts';
import { type LaidOut, layOut, maxParts } from './layout.ts';
import type { EventHeader, SandboxScript } from './protocol.ts';
import { decodeResult, decodeSegment, encodeSegment } from './values.ts';

/** Which parts a script has read, by the names of the properties and of the parts in them. */
export type PartsRead = Map<string, Set<string>>;

export type EventView = {
  /**
   * The event as changed so far, for a script that is likely to read these parts: JSON of the properties' layouts and the texts, as the prelude takes them.
   * What it reads beyond that it asks for with {@link EventView.part}.
   */
  open(likely: PartsRead): { layouts: string; texts: readonly string[] };
  /** The text of one part, as changed so far; 'null' for one that does not exist. Never throws. */
  part(property: number, part: number): string;
  /** Takes in what a script returned. `willBeRead`, true unless said otherwise: a later script is likely to read a part that may change. */
  add(script: Pick<SandboxScript, 'name' | 'allow' | 'shadow'>, resultText: string, willBeRead?: boolean): void;
  /** Adds the parts that have been asked for since this was called last; whether one of them, or one that was likely, may change. */
  wereRead(parts: PartsRead): boolean;
};

type Pending = Pick<SandboxScript, 'name' | 'allow'> & { text: string };

/**
 * What is pending beyond this, in UTF-16 units of results, is merged at once: the rest is in the time of the script that reads next. The second is for when
 * nobody is likely to read it.
 */
const longestPending = { read: 2 << 10, unread: 64 << 10 };

/** As JSON has them. */
const quoted = new Map(adjustableMembers.map(member => [member, JSON.stringify(member)]));

export function viewEvent(event: Pick<EventHeader, 'compose' | 'layouts'>, segments: readonly string[], nriVersion: string): EventView {
  const properties: LaidOut[] = [];
  let at = 0;
  for (const layout of event.layouts) {
    properties.push({ layout, texts: segments.slice(at, at + 1 + layout.parts.length) });
    at += 1 + layout.parts.length;
  }
  const names = event.layouts.map(({ name }) => name);
  const changing = event.compose === 'none' ? -1 : names.indexOf(event.compose === 'create' ? 'container' : 'linuxResources');
  let pending: Pending[] = [];
  let pendingLength = 0;
  /** Something was merged that the texts do not say yet. */
  let isBehind = false;
  let composition: Composition | undefined;
  /** What the texts of `changing` say. */
  let shown: object | undefined;

  function propertyOf(name: string): object | undefined {
    const property = properties[names.indexOf(name)];
    if (!property) return undefined;
    const [rest, ...parts] = property.texts;
    const value = decodeSegment(rest!) as Record<string, unknown> | null;
    for (const [index, part] of property.layout.parts.entries()) value![part] = decodeSegment(parts[index]!);
    return value ?? undefined;
  }

  function begin(): Composition {
    if (event.compose === 'create') {
      shown = propertyOf('container');
      return beginCreate({ container: shown as Container, nriVersion });
    }
    shown = propertyOf('linuxResources');
    const container = propertyOf('container') as Container | undefined;
    return beginUpdate({ containerId: container?.id ?? '', linuxResources: shown as LinuxResources, nriVersion });
  }

  function merge(): void {
    const results = pending;
    pending = [];
    pendingLength = 0;
    isBehind = true;
    composition ??= begin();
    for (const { name, allow, text } of results) {
      try {
        contribute(composition, { script: name, allow: new Set(allow as Grant[]) }, decodeResult(text).result);
      } catch {
        // The host will say what is wrong with it.
      }
    }
  }

  /** The changing property with all that was returned so far. */
  function merged(): object | undefined {
    merge();
    isBehind = false;
    return event.compose === 'create' ? viewContainer(composition!) : viewResources(composition!);
  }

  /** Whether a result may change what does not stand apart. */
  function changesRest(text: string): boolean {
    if (event.compose === 'update') return true;
    const { parts } = properties[changing]!.layout;
    return adjustableMembers.some(member => !parts.includes(member) && text.includes(quoted.get(member)!));
  }

  function renew(): void {
    const value = merged();
    if (value === shown) return;
    shown = value;
    properties[changing] = layOut(names[changing]!, value);
    layouts.clear();
  }

  function catchUp(parts: readonly string[], texts: string[]): void {
    const value = merged() as Record<string, unknown> | undefined;
    const before = shown as Record<string, unknown> | undefined;
    shown = value;
    for (const [index, part] of parts.entries()) {
      if (value?.[part] !== before?.[part]) texts[1 + index] = encodeSegment(value?.[part] ?? null);
    }
  }

  /** What the prelude has to know, by which parts a script is given at once. */
  const layouts = new Map<string, string>();
  /** Each once, however often: property * maxParts + part. */
  const asked = new Set<number>();
  let isRead = false;

  function partNow(property: number, part: number): string {
    const { layout, texts } = properties[property]!;
    if (property !== changing) return texts[1 + part]!;
    isRead = true;
    if (!(isBehind || pending.length > 0)) return texts[1 + part]!;
    try {
      catchUp(layout.parts, texts);
    } catch {
      // As it was sent, then: nothing is thrown into a script's realm.
    }
    return texts[1 + part]!;
  }

  function layoutsWith(given: ReadonlyArray<readonly [property: number, part: number]>): string {
    const key = given.join();
    let text = layouts.get(key);
    if (text === undefined) {
      const places = properties.map(({ layout }) => layout.parts.map(() => 0));
      for (const [at, [property, part]] of given.entries()) places[property]![part] = properties.length + at;
      text = JSON.stringify(properties.map(({ layout }, index) => [layout.name, layout.parts, places[index]]));
      layouts.set(key, text);
    }
    return text;
  }

  return {
    open(likely) {
      const given: Array<[property: number, part: number]> = [];
      for (const [property, { layout }] of properties.entries()) {
        const read = likely.get(layout.name);
        if (!read) continue;
        for (const [part, name] of layout.parts.entries()) if (read.has(name)) given.push([property, part]);
      }
      const parts = given.map(([property, part]) => partNow(property, part));
      return { layouts: layoutsWith(given), texts: [...properties.map(({ texts }) => texts[0]!), ...parts] };
    },
    part(property, part) {
      if (properties[property]?.layout.parts[part] === undefined) return 'null';
      asked.add(property * maxParts + part);
      return partNow(property, part);
    },
    wereRead(parts) {
      for (const each of asked) {
        const { name, parts: all } = properties[Math.floor(each / maxParts)]!.layout;
        const read = parts.get(name) ?? new Set<string>();
        parts.set(name, read.add(all[each % maxParts]!));
      }
      asked.clear();
      const changes = isRead;
      isRead = false;
      return changes;
    },
    add({ name, allow, shadow }, text, willBeRead = true) {
      if (changing < 0 || shadow || !text.startsWith('{"result":')) return;
      pending.push({ name, allow, text });
      pendingLength += text.length;
      if (changesRest(text)) renew();
      else if (pendingLength > longestPending[willBeRead ? 'read' : 'unread']) merge();
    },
  };
}
