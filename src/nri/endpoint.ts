/**
 * Where the runtime is: a socket to dial, or one that it gave to the plugin that it launched.
 */
import { connect, Socket } from 'node:net';
import { NriError } from './errors.ts';

/** A unix socket by its path, or a descriptor that is connected already. */
export type Endpoint = { path: string } | { fd: number };

/** Where runtimes listen unless configured otherwise (fact A1). */
export const defaultSocketPath = '/var/run/nri/nri.sock';

/** Connects. Rejects with an {@link NriError} that says what to change. */
export function dial(endpoint: Endpoint, signal?: AbortSignal): Promise<Socket> {
  if ('fd' in endpoint) return adopt(endpoint.fd);
  return new Promise((resolve, reject) => {
    const socket = connect({ path: endpoint.path });
    const abort = () => socket.destroy(new NriError('NRI_CLOSED', 'the plugin stopped connecting'));
    const settle = () => {
      signal?.removeEventListener('abort', abort);
      socket.removeListener('error', fail);
    };
    const fail = (error: NodeJS.ErrnoException) => {
      settle();
      reject(error instanceof NriError ? error : dialError(endpoint.path, error));
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort);
  });
}

async function adopt(fd: number): Promise<Socket> {
  try {
    return new Socket({ fd });
  } catch (cause) {
    throw new NriError('NRI_SOCKET_FAILED', `descriptor ${fd} is not a connected socket: was NRI_PLUGIN_SOCKET set by a runtime?`, cause);
  }
}

/** What a failed connect(2) means for whoever runs the plugin. */
export function dialError(path: string, error: NodeJS.ErrnoException): NriError {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new NriError(
        'NRI_SOCKET_MISSING',
        `no socket at ${path}: is the runtime running, and is NRI enabled in its configuration? In a container, mount the socket's directory`,
        error,
      );
    case 'ECONNREFUSED':
      return new NriError('NRI_SOCKET_REFUSED', `nobody listens at ${path}: is the runtime running, and is this its NRI socket?`, error);
    case 'EACCES':
    case 'EPERM':
      return new NriError(
        'NRI_SOCKET_PERMISSION',
        `no permission to open ${path}: run as root, the runtime gives its directory to root alone`,
        error,
      );
    case 'EINVAL':
    case 'ENAMETOOLONG':
      return new NriError(
        'NRI_SOCKET_FAILED',
        `${path} cannot be a socket's path: it has ${Buffer.byteLength(path)} bytes, at most 107 are possible`,
        error,
      );
    default:
      return new NriError('NRI_SOCKET_FAILED', `cannot connect to ${path}: ${error.message}`, error);
  }
}

export type LaunchedPlugin = { name: string; index: string; endpoint: { fd: number } };

/** What a runtime tells a plugin that it launches by the environment (fact A2); undefined for a plugin that was started otherwise. */
export function launchedPlugin(environment: Readonly<Record<string, string | undefined>>): LaunchedPlugin | undefined {
  const { NRI_PLUGIN_NAME: name = '', NRI_PLUGIN_IDX: index = '', NRI_PLUGIN_SOCKET: socket } = environment;
  if (socket === undefined) return undefined;
  const fd = Number(socket);
  if (!/^\d{1,9}$/.test(socket) || fd < 3)
    throw new NriError('NRI_SOCKET_FAILED', `NRI_PLUGIN_SOCKET=${socket} is not a descriptor: unset it, or let the runtime set it`);
  return { name, index, endpoint: { fd } };
}
