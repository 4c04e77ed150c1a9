/**
 * Status codes and the error that carries one. ttrpc shares its codes with gRPC (google.rpc.Code).
 */

/** The codes by name. */
export const statusCode = {
  OK: 0,
  Canceled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;

export type StatusName = keyof typeof statusCode;

/** The outcome of a call as it stands in a response. A response without one is OK. */
export type Status = { code: number; message: string };

/** The name of a code; `Code99` for one that is not known. */
export function statusName(code: number): string {
  for (const [name, value] of Object.entries(statusCode)) if (value === code) return name;
  return `Code${code}`;
}

export type TtrpcErrorOptions = {
  /** `remote` when the peer answered with this status, `local` (the default) when this side found the fault. */
  origin?: 'local' | 'remote';
  cause?: unknown;
};

/**
 * A call that failed. A server's handler throws one to choose the status; a client's call rejects with one.
 *
 * What a client reports by itself (`origin: 'local'`): DeadlineExceeded after its timeout, Canceled by its signal, ResourceExhausted
 * for what does not fit in a message, Unavailable when the stream has ended, Internal for a reply that makes no sense.
 */
export class TtrpcError extends Error {
  override readonly name = 'TtrpcError';
  /** One of {@link statusCode}, or what else the peer sent. */
  readonly code: number;
  readonly origin: 'local' | 'remote';

  constructor(code: number, message: string, options: TtrpcErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.origin = options.origin ?? 'local';
  }

  /** The code's name, `DeadlineExceeded` for example. */
  get status(): string {
    return statusName(this.code);
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  try {
    return String(error);
  } catch {
    return typeof error;
  }
}
