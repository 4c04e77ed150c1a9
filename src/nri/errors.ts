/**
 * The errors of the NRI connection. A code is stable and never reused; the message says what to change.
 */
export type NriErrorCode =
  /** The peer sent bytes that cannot be NRI; the connection is over. */
  | 'NRI_PROTOCOL'
  /** The connection has ended, by either side. */
  | 'NRI_CLOSED'
  /** There is no socket where NRI's should be. */
  | 'NRI_SOCKET_MISSING'
  /** The socket file is there, but nobody listens. */
  | 'NRI_SOCKET_REFUSED'
  /** This process may not open the socket. */
  | 'NRI_SOCKET_PERMISSION'
  /** The path cannot be a socket's, or another fault of the system. */
  | 'NRI_SOCKET_FAILED'
  /** The runtime does not take this plugin. */
  | 'NRI_REGISTRATION_REFUSED'
  /** The runtime did not answer the registration. */
  | 'NRI_REGISTRATION_TIMEOUT'
  /** The runtime ended the connection before the plugin was in service. */
  | 'NRI_HANDSHAKE_FAILED'
  /** The node's state is larger than the session accepts. */
  | 'NRI_SYNCHRONIZE_TOO_LARGE'
  /** A call that is only possible while the session serves. */
  | 'NRI_NOT_SERVING'
  /** The runtime did not carry out an unsolicited update. */
  | 'NRI_UPDATE_FAILED'
  /** The answer to an event could not be sent; the runtime got "no change". */
  | 'NRI_ANSWER_UNUSABLE'
  /** The plugin's answer breaks the rules that a runtime enforces. */
  | 'NRI_PLUGIN_MISBEHAVED';

export class NriError extends Error {
  override readonly name = 'NriError';
  readonly code: NriErrorCode;

  constructor(code: NriErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Thrown by a handler to fail the runtime's operation on purpose: its message becomes the error status (fact D4). Any other exception does not. */
export class RefusalError extends Error {
  override readonly name = 'RefusalError';
  readonly code = 'NRI_REFUSAL';
}
