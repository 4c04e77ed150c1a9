/** The child's side of its replies: written as they come about, and the host woken only when it has something to do. */
import { writeSync } from 'node:fs';
import { monotonicNow } from './clock.ts';
import { encodeFrame } from './frame.ts';
import { maxUnrung, type Reply, repliesFd, requestsFd } from './protocol.ts';

export type Outlet = {
  /** Writes a reply that the host is waiting for. */
  say(header: Reply, segments?: string[]): void;
  /** Writes a reply that can wait for the next one: it costs a system call, and waking the host costs the script that runs ten times that. */
  note(header: Reply, segments?: string[]): void;
  /** Leaves with the next reply, in one piece: whoever reads the first reads the second as well. */
  hold(header: Reply, segments?: string[]): void;
};

/** How long a note waits while others follow, milliseconds: so the host composes what is there while the rest of a long event goes on. */
const patience = 1;

export function createOutlet(): Outlet {
  const bell = Buffer.alloc(1);
  let frames = 0;
  let bytes = 0;
  /** When the first frame was written that no bell was rung for. */
  let since = 0;

  function ring(): void {
    frames = 0;
    bytes = 0;
    writeSync(requestsFd, bell);
  }

  function write(frame: Buffer): void {
    if (frames === 0) since = monotonicNow();
    frames += 1;
    for (let at = 0; at < frame.length; ) {
      if (bytes >= maxUnrung.bytes) ring();
      const written = writeSync(repliesFd, frame, at, Math.min(frame.length - at, maxUnrung.bytes - bytes));
      at += written;
      bytes += written;
    }
  }

  let held: Buffer | undefined;

  function framed(header: Reply, segments?: string[]): Buffer {
    const frame = encodeFrame(header, segments);
    if (!held) return frame;
    const both = Buffer.concat([held, frame]);
    held = undefined;
    return both;
  }

  return {
    say(header, segments) {
      write(framed(header, segments));
      ring();
    },
    note(header, segments) {
      write(framed(header, segments));
      if (frames >= maxUnrung.frames || monotonicNow() - since > patience) ring();
    },
    hold(header, segments) {
      held = framed(header, segments);
    },
  };
}
