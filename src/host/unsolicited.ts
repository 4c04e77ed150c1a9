/** Updates that scripts ask for outside of any answer (`nri.update`): one call in flight, never inside an event (fact D7). */
import type { Logger } from 'pino';
import type { ContainerUpdate } from '../../types/index.d.ts';

/** Sends updates to the runtime; gives those that it could not carry out. */
export type SendUpdates = (updates: ContainerUpdate[]) => Promise<readonly ContainerUpdate[]>;

export type UnsolicitedUpdates = {
  add(updates: ContainerUpdate[]): void;
  /** With a connection they are sent; without one they wait, up to a bound. */
  connect(send: SendUpdates | undefined): void;
};

/** Batches that wait; the oldest give way. */
const maxWaiting = 100;

export function createUnsolicitedUpdates(logger: Logger): UnsolicitedUpdates {
  const waiting: ContainerUpdate[][] = [];
  let send: SendUpdates | undefined;
  let busy = false;

  async function drain(): Promise<void> {
    if (busy) return;
    busy = true;
    // The answer of the event that asked for it goes out first.
    await new Promise(setImmediate);
    while (send && waiting.length > 0) {
      const updates = waiting.shift()!;
      const containers = updates.map(update => update.containerId);
      try {
        const failed = await send(updates);
        const ids = failed.map(update => update.containerId);
        if (ids.length > 0) logger.warn({ code: 'UPDATE_FAILED', containers: ids }, `the runtime could not update ${ids.join(', ')}`);
        else logger.info({ containers }, `updated ${containers.join(', ')}`);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        logger.warn({ code: 'UPDATE_FAILED', containers }, `the runtime did not take an update of ${containers.join(', ')}: ${message}`);
      }
    }
    busy = false;
  }

  return {
    add(updates) {
      waiting.push(updates);
      if (waiting.length > maxWaiting) {
        waiting.shift();
        logger.warn({ code: 'UPDATES_DROPPED' }, `more than ${maxWaiting} updates wait to be sent: the oldest was dropped`);
      }
      void drain();
    },
    connect(next) {
      send = next;
      void drain();
    },
  };
}
