/** A sandbox process in somebody else's hands: does its work like an honest one, until the event in which it does what its argument says. */
import { existsSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { encodeFrame, type Frame, FrameReader, maxFrameBytes } from '../../src/sandbox/frame.ts';
import { knocksFd, type Reply, type Request, repliesFd, requestsFd } from '../../src/sandbox/protocol.ts';

const incoming = new FrameReader<Request>(maxFrameBytes);
const chunk = Buffer.alloc(64 << 10);

function read(): Frame<Request> {
  for (;;) {
    const frame = incoming.next();
    if (frame) return frame;
    const length = readSync(requestsFd, chunk, 0, chunk.length, null);
    if (length === 0) process.exit(0);
    incoming.push(Buffer.from(chunk.subarray(0, length)));
  }
}

function write(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(repliesFd, bytes, at, Math.min(bytes.length - at, 32 << 10));
    ring();
  }
}

const ring = () => writeSync(requestsFd, Buffer.alloc(1));

const say = (reply: Reply, segments?: string[]) => write(encodeFrame(reply, segments));
const result = (id: string) => say({ type: 'result', id, outcome: 'ok', micros: 1 }, ['{"result":"forged"}']);
const done = () => say({ type: 'done', isolates: 1, micros: 1, contexts: 0 });
const log = (id: string) => say({ type: 'log', id, level: 'info', dropped: 0 }, ['{"message":"x"}']);
const lookup = (id: string) => say({ type: 'lookup', id, kind: 'containers', argument: '' });

function forever(act: () => void): never {
  for (;;) act();
}

const restful = 'makes no context until it is knocked for';
const mortal = 'ends when it is to make a context first';

const deeds: Record<string, (script: string) => void> = {
  'answers for another script': () => result('other'),
  'says that it is done before it is': done,
  'answers for the same script twice': id => {
    result(id);
    result(id);
  },
  'answers something else': id => say({ type: 'loaded', id, handlers: [], micros: 1 }),
  'says again that it is ready': () => say({ type: 'ready' }),
  'logs for another script': () => log('other'),
  'looks up for another script': () => lookup('other'),
  'logs without end': id => forever(() => log(id)),
  'asks without end': id => forever(() => lookup(id)),
  'sends nonsense without end': () => forever(() => write(Buffer.alloc(1 << 20, 0x41))),
  'begins a frame and trickles': () => {
    write(Buffer.from([0, 0x3f, 0xff, 0xff]));
    forever(() => write(Buffer.from([0])));
  },
  'rings for nothing without end': () => forever(ring),
  'says all without ringing once': id =>
    forever(() => writeSync(repliesFd, encodeFrame({ type: 'log', id, level: 'info', dropped: 0 }, ['{"message":"x"}']))),
  'trickles a frame when nobody asks': id => {
    result(id);
    done();
    writeSync(repliesFd, Buffer.from([0, 0x3f, 0xff, 0xff]));
    forever(() => write(Buffer.from([0])));
  },
  'writes to stderr without end': () => forever(() => writeSync(2, 'x'.repeat(65536))),
  'closes its channel': () => process.exit(7),
  [restful]: id => {
    result(id);
    done();
  },
  'goes on after it is done': id => {
    result(id);
    done();
    forever(() => log(id));
  },
};

say({ type: 'ready' });
for (;;) {
  const { header } = read();
  if (header.type === 'load') say({ type: 'loaded', id: header.script.id, handlers: ['createContainer'], micros: 1 });
  // Its marks are where processes after it see them.
  if (header.type === 'prepare' && process.argv[2] === mortal && !existsSync(process.argv[3]!)) {
    writeFileSync(process.argv[3]!, '');
    process.exit(9);
  }
  if (header.type === 'prepare' && process.argv[2] === restful) {
    readSync(knocksFd, Buffer.alloc(1), 0, 1, null);
    say({ type: 'rested' });
  } else if (header.type === 'prepare') {
    for (const id of header.ids) say({ type: 'prepared', id, micros: 1 });
    say({ type: 'rested' });
  }
  if (header.type === 'event' && process.argv[2] === mortal) {
    for (const id of header.scripts) result(id);
    done();
  } else if (header.type === 'event') deeds[process.argv[2]!]!(header.scripts[0]!);
}
