import { once } from 'node:events';
import { createServer } from 'node:net';
import { createCodec, openRuntimeSession, type RuntimeSession } from '../../src/nri/index.ts';

const codec = createCodec();

/** A runtime on a socket: hands out its plugins' sessions as they connect. */
export async function listen(path: string) {
  const sessions: RuntimeSession[] = [];
  let wake = () => {};
  const server = createServer(stream => {
    sessions.push(openRuntimeSession({ stream, codec }));
    wake();
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    /** The next plugin's session, registered. */
    async next(): Promise<RuntimeSession> {
      while (sessions.length === 0) {
        const more = Promise.withResolvers<void>();
        wake = more.resolve;
        await more.promise;
      }
      const session = sessions.shift()!;
      await session.registered;
      return session;
    },
    /** Takes the socket away, as a runtime does when it ends. */
    async stop() {
      server.close();
      for (const session of sessions) session.close();
    },
  };
}

/** Brings a registered plugin to where it gets events. */
export async function bringUp(session: RuntimeSession): Promise<RuntimeSession> {
  await session.configure({ runtimeName: 'containerd', runtimeVersion: 'v2.2.1' });
  await session.synchronize([], []);
  return session;
}
