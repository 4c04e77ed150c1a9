/** Where an event's time went. */
import { monotonicNow } from './clock.ts';
import type { RunTimes } from './contract.ts';
import type { Reply } from './protocol.ts';

/** Begun and sent at these monotonic milliseconds, done now; `inScripts` microseconds, with the contexts that were not ready. */
export function timesOf(startedAt: number, sentAt: number, done: Extract<Reply, { type: 'done' }>, inScripts: number): RunTimes {
  const micros = (millis: number) => Math.max(0, Math.round(millis * 1000));
  return {
    send: micros(sentAt - startedAt),
    hop: Math.max(0, micros(monotonicNow() - sentAt) - done.micros),
    contexts: done.contexts,
    process: Math.max(0, done.micros - inScripts),
  };
}
