import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';

/** Two ends of a real unix socket, closed when the test is over. */
export async function socketPair(t: TestContext): Promise<[Socket, Socket]> {
  const directory = mkdtempSync(join(tmpdir(), 'ttrpc-'));
  const path = join(directory, 's');
  const server = createServer({ allowHalfOpen: false }).listen(path);
  await once(server, 'listening');
  const near = connect(path);
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [[Socket], unknown];
  server.close();
  rmSync(directory, { recursive: true });
  for (const socket of [near, far]) socket.on('error', () => {});
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  return [near, far];
}

/** The bytes of a hex string that may have spaces. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replace(/\s+/g, ''), 'hex');
}

/** Collects what comes out of a socket; `take` waits until there are `length` bytes more. */
export function collect(socket: Duplex): { take(length: number): Promise<Buffer> } {
  let chunks: Buffer[] = [];
  let collected = 0;
  let wake = () => {};
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    collected += chunk.length;
    wake();
  });
  return {
    async take(length) {
      while (collected < length) {
        const more = Promise.withResolvers<void>();
        wake = more.resolve;
        await more.promise;
      }
      const all = Buffer.concat(chunks);
      chunks = [all.subarray(length)];
      collected -= length;
      return all.subarray(0, length);
    },
  };
}
