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
import { type LaidOut, layOut } from './layout.ts';
import type { EventHeader, SandboxScript } from './protocol.ts';
import { decodeResult, decodeSegment, encodeSegment } from './values.ts';

export type EventView = {
  /** JSON of the properties' {@link Layout}s, as the prelude takes them. */
  readonly layouts: string;
  /** The properties' texts without their parts. */
  readonly texts: readonly string[];
  /** The text of one part, as changed so far; 'null' for one that does not exist. Never throws. */
  part(property: number, part: number): string;
  /** Takes in what a script returned. `isRead`, true unless said otherwise: a later script is likely to read a part that may change. */
  add(script: Pick<SandboxScript, 'name' | 'allow' | 'shadow'>, resultText: string, isRead?: boolean): void;
  /** Whether a part that may change has been asked for since this was called last. */
  wasRead(): boolean;
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
    current = heads();
  }

  function catchUp(parts: readonly string[], texts: string[]): void {
    const value = merged() as Record<string, unknown> | undefined;
    const before = shown as Record<string, unknown> | undefined;
    shown = value;
    for (const [index, part] of parts.entries()) {
      if (value?.[part] !== before?.[part]) texts[1 + index] = encodeSegment(value?.[part] ?? null);
    }
  }

  function heads(): Pick<EventView, 'layouts' | 'texts'> {
    return {
      layouts: JSON.stringify(properties.map(({ layout }) => [layout.name, layout.parts])),
      texts: properties.map(({ texts }) => texts[0]!),
    };
  }

  let isAsked = false;
  let current = heads();
  return {
    get layouts() {
      return current.layouts;
    },
    get texts() {
      return current.texts;
    },
    part(property, part) {
      const { layout, texts } = properties[property] ?? { layout: { parts: [] as string[] }, texts: [] };
      const name = layout.parts[part];
      if (name === undefined) return 'null';
      if (property !== changing) return texts[1 + part]!;
      isAsked = true;
      if (!(isBehind || pending.length > 0)) return texts[1 + part]!;
      try {
        catchUp(layout.parts, texts);
      } catch {
        // As it was sent, then: nothing is thrown into a script's realm.
      }
      return texts[1 + part]!;
    },
    wasRead() {
      const read = isAsked;
      isAsked = false;
      return read;
    },
    add({ name, allow, shadow }, text, isRead = true) {
      if (changing < 0 || shadow || !text.startsWith('{"result":')) return;
      pending.push({ name, allow, text });
      pendingLength += text.length;
      if (changesRest(text)) renew();
      else if (pendingLength > longestPending[isRead ? 'read' : 'unread']) merge();
    },
  };
}
