/**
 * Unsolicited updates on their way to the runtime: one at a time, and none while an event is being answered, as the runtime holds the lock that
 * the update needs until it has the answer (fact D7).
 */
import { NriError } from './errors.ts';
import type { ContainerUpdate } from './messages.ts';

export type UpdateQueue = {
  /** Resolves to the updates that the runtime did not carry out. */
  add(update: ContainerUpdate[]): Promise<ContainerUpdate[]>;
  /** An event is being answered: nothing is sent until as many calls of `release`. */
  hold(): void;
  release(): void;
  /** Rejects what waits and all that comes. */
  close(reason: NriError): void;
};

/** More than this many requests do not wait: further ones are rejected. */
export const waitingMax = 256;

export function createUpdateQueue(send: (update: ContainerUpdate[]) => Promise<ContainerUpdate[]>): UpdateQueue {
  const waiting: Array<{ update: ContainerUpdate[]; resolve(failed: ContainerUpdate[]): void; reject(error: NriError): void }> = [];
  let holds = 0;
  let isSending = false;
  let closed: NriError | undefined;

  async function sendNext(): Promise<void> {
    if (holds > 0 || isSending || closed) return;
    const next = waiting.shift();
    if (!next) return;
    isSending = true;
    try {
      next.resolve(await send(next.update));
    } catch (cause) {
      const message = `the runtime did not carry out the update: ${cause instanceof Error ? cause.message : String(cause)}`;
      next.reject(closed ?? new NriError('NRI_UPDATE_FAILED', message, cause));
    }
    isSending = false;
    void sendNext();
  }

  return {
    add(update) {
      if (closed) return Promise.reject(closed);
      if (waiting.length >= waitingMax)
        return Promise.reject(new NriError('NRI_UPDATE_FAILED', `${waitingMax} updates wait for the runtime already: send fewer`));
      return new Promise((resolve, reject) => {
        waiting.push({ update, resolve, reject });
        void sendNext();
      });
    },
    hold() {
      holds++;
    },
    release() {
      holds--;
      void sendNext();
    },
    close(reason) {
      closed ??= reason;
      for (const { reject } of waiting.splice(0)) reject(closed);
    },
  };
}
