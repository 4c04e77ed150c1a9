/**
 * The sandbox process: evaluates scripts and nothing else. Started by process.ts; speaks protocol.ts.
 *
 * It is one synchronous loop: read a request, carry it out, answer. Between requests it turns the event loop once, so that V8 and
 * isolated-vm can finish what they post there.
 */
import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import { monotonicNow } from './clock.ts';
import { createEngine, type Engine } from './engine.ts';
import { type EventView, type PartsRead, viewEvent } from './event-view.ts';
import { type Frame, FrameReader, maxFrameBytes } from './frame.ts';
import { createLibraries } from './libraries.ts';
import { createOutlet } from './outlet.ts';
import {
  type EventHeader,
  type Facts,
  knocksFd,
  logLevels,
  lookupKinds,
  maxArgumentLength,
  maxLogLength,
  maxLogLines,
  maxLogVolume,
  maxLookups,
  type Reply,
  type Request,
  requestsFd,
} from './protocol.ts';
import { shareOf } from './share.ts';

/** nobody, nogroup: the user where no other id is mapped (user_namespaces(7)). */
const nobody = 65534;

/** How long texts of one script in one event are parsed outside of its context, milliseconds: what runs there its timeout does not stop. */
const maxParsing = 20;

/** What a script has read in its events so far, and whether others may change some of it. */
type Reader = { parts: PartsRead; readsChanges: boolean };
type Readers = Map<string, Reader>;

/** What one script has used of its own in one task. */
type Quota = { lines: number; taken: number; volume: number; lookups: number; parsing: number };

function main(): void {
  dropPrivileges(process.argv[2]);
  const incoming = new FrameReader<Request>(maxFrameBytes);
  const chunk = Buffer.allocUnsafe(64 << 10);
  const postponed: Array<Frame<Request>> = [];
  const quotas = new Map<string, Quota>();
  const readers: Readers = new Map();
  /** Scripts that need contexts. */
  let unprepared: string[] | undefined;
  let isKnocked = false;
  let view: EventView | undefined;
  let facts: Facts = { runtime: { name: '', version: '', nriVersion: '' }, node: {} };

  function read(): Frame<Request> {
    for (;;) {
      const frame = incoming.next();
      if (frame) return frame;
      const length = readSync(requestsFd, chunk, 0, chunk.length, null);
      if (length === 0) process.exit(0);
      incoming.push(Buffer.from(chunk.subarray(0, length)));
    }
  }

  const { say, note, hold } = createOutlet();

  function quotaOf(id: string): Quota {
    let quota = quotas.get(id);
    if (!quota) {
      quota = { lines: 0, taken: 0, volume: 0, lookups: 0, parsing: 0 };
      quotas.set(id, quota);
    }
    return quota;
  }

  const libraries = createLibraries();
  const engine = createEngine({
    log(id, level, text) {
      const quota = quotaOf(id);
      quota.lines += 1;
      if (quota.lines > maxLogLines || quota.volume >= maxLogVolume) return;
      const line = String(text).slice(0, maxLogLength);
      quota.taken += 1;
      quota.volume += line.length;
      note({ type: 'log', id, level: logLevels.find(each => each === level) ?? 'info', dropped: 0 }, [line]);
    },
    lookup(id, kind, argument) {
      const quota = quotaOf(id);
      if (kind === 'library') return libraries.source(String(argument));
      if (kind === 'yaml') {
        if (quota.parsing > maxParsing) return '';
        const started = monotonicNow();
        const result = libraries.yaml(String(argument));
        quota.parsing += monotonicNow() - started;
        return result;
      }
      quota.lookups += 1;
      if (quota.lookups > maxLookups) return `#more than ${maxLookups} look-ups in one event`;
      const known = lookupKinds.find(each => each === kind);
      if (!known) return 'null';
      say({ type: 'lookup', id, kind: known, argument: String(argument).slice(0, maxArgumentLength) });
      for (;;) {
        const frame = read();
        if (frame.header.type === 'found') return frame.segments[0] ?? 'null';
        postponed.push(frame);
      }
    },
    part: (property, part) => view?.part(Number(property), Number(part)) ?? 'null',
  });

  function endQuota(id: string): void {
    const { lines, taken } = quotaOf(id);
    if (lines > taken) note({ type: 'log', id, level: 'warn', dropped: lines - taken }, ['']);
    quotas.delete(id);
  }

  function handle({ header, segments }: Frame<Request>): void {
    switch (header.type) {
      case 'facts':
        facts = header.facts;
        engine.setFacts(facts);
        return;
      case 'library':
        libraries.add(header.name, segments[0] ?? '');
        return;
      case 'load': {
        const started = monotonicNow();
        const result = engine.load({ ...header.script, code: segments[0] ?? '' });
        endQuota(header.script.id);
        if ('handlers' in result) {
          say({ type: 'loaded', id: header.script.id, handlers: result.handlers, micros: microsSince(started) });
        } else say({ type: 'failed', id: header.script.id, ...result });
        return;
      }
      case 'unload':
        engine.unload(header.id);
        readers.delete(header.id);
        return;
      case 'prepare':
        unprepared = header.ids;
        isKnocked = false;
        return;
      case 'event': {
        const started = monotonicNow();
        view = viewEvent(header, segments, facts.runtime.nriVersion);
        const contexts = runEvent(engine, header, view, readers, (result, texts, isLast) => {
          endQuota(result.id);
          if (isLast) hold(result, texts);
          else note(result, texts);
        });
        view = undefined;
        say({ type: 'done', isolates: engine.isolates(), micros: microsSince(started), contexts });
        return;
      }
    }
  }

  /** Makes the next context that was asked for, unless that has to wait. */
  function prepare(ids: string[]): void {
    const id = isKnocked ? undefined : ids.shift();
    if (id === undefined) {
      unprepared = undefined;
      say({ type: 'rested' });
      return;
    }
    const started = monotonicNow();
    const failed = engine.prepare(id);
    endQuota(id);
    if (failed) note({ type: 'failed', id, ...failed });
    else note({ type: 'prepared', id, micros: microsSince(started) });
  }

  // Looked at in each turn of the event loop, which there is one of between two contexts.
  const knocks = new Socket({ fd: knocksFd, readable: true, writable: false });
  knocks.on('data', () => {
    isKnocked = true;
  });
  knocks.on('error', () => {});

  say({ type: 'ready' });
  const turn = () => {
    if (unprepared) prepare(unprepared);
    else handle(postponed.shift() ?? read());
    setImmediate(turn);
  };
  turn();
}

/** Microseconds that contexts took which were not ready. */
function runEvent(
  engine: Engine,
  event: EventHeader,
  view: EventView,
  readers: Readers,
  report: (result: Extract<Reply, { type: 'result' }>, segments: string[], isLast: boolean) => void,
): number {
  let contexts = 0;
  // Whoever has yet to run may read.
  const lastReader = event.scripts.findLastIndex(id => readers.get(id)?.readsChanges !== false);
  for (const [index, id] of event.scripts.entries()) {
    const isLast = index === event.scripts.length - 1;
    const script = engine.script(id);
    const left = event.deadline - monotonicNow();
    if (!script || left < 1) {
      report({ type: 'result', id, outcome: 'budget', micros: 0 }, [], isLast);
      continue;
    }
    const reader = readers.get(id) ?? { parts: new Map(), readsChanges: false };
    const { layouts, texts } = view.open(reader.parts);
    const run = engine.run(id, event.handler, layouts, texts, shareOf(script.timeout, left, event.scripts.length - index));
    contexts += run.context;
    reader.readsChanges = view.wereRead(reader.parts) || reader.readsChanges;
    readers.set(id, reader);
    if (run.outcome !== 'ok') {
      report({ type: 'result', id, outcome: run.outcome, micros: run.micros, error: run.error }, [], isLast);
      continue;
    }
    report({ type: 'result', id, outcome: 'ok', micros: run.micros }, [run.text], isLast);
    if (!isLast) view.add(script, run.text, index < lastReader);
  }
  return contexts;
}

function microsSince(started: number): number {
  return Math.round((monotonicNow() - started) * 1000);
}

/** `user`: the id to change to, when this process was started with more rights than scripts are to have. */
function dropPrivileges(user: string | undefined): void {
  if (user === undefined || process.getuid?.() !== 0) return;
  process.setgroups?.([]);
  for (const id of [Number(user), nobody]) {
    try {
      process.setgid?.(id);
      process.setuid?.(id);
      return;
    } catch {
      // Not mapped in this user namespace.
    }
  }
}

main();
