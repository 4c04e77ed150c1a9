/** The runtime's listening socket (fact A1). */
import { linkSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';

export type Listener = {
  /** Stops listening and removes the socket file. */
  close(): Promise<void>;
  /** Stops listening as a process that is killed does: connections are cut, and the socket file stays, with nobody behind it. */
  crash(): Promise<void>;
};

/** Listens where a socket of an earlier life may still be. A connection is not read before someone takes it over. */
export async function listen(path: string, onConnection: (socket: Socket) => void): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true }, socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  rmSync(path, { force: true });
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });

  function close(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    return new Promise(resolve => server.close(() => resolve()));
  }

  return {
    close,
    async crash() {
      const kept = `${path}.${process.pid}`;
      linkSync(path, kept);
      await close();
      renameSync(kept, path);
    },
  };
}
