/**
 * Puts the node's state together from the Synchronize messages that it came in (fact C11).
 */
import type { SynchronizeRequest } from './messages.ts';

export type SyncCollector = {
  /** Takes one message and its encoded length. Gives the whole state with the last message. */
  add(message: SynchronizeRequest, bytes: number): 'more' | 'too large' | Pick<SynchronizeRequest, 'pods' | 'containers'>;
};

/** Collects at most `bytesMax` encoded bytes. */
export function createSyncCollector(bytesMax: number): SyncCollector {
  let pods: SynchronizeRequest['pods'] = [];
  let containers: SynchronizeRequest['containers'] = [];
  let collected = 0;

  function takeAll(): Pick<SynchronizeRequest, 'pods' | 'containers'> {
    const all = { pods, containers };
    [pods, containers, collected] = [[], [], 0];
    return all;
  }

  return {
    add(message, bytes) {
      collected += bytes;
      if (collected > bytesMax) {
        takeAll();
        return 'too large';
      }
      for (const pod of message.pods) pods.push(pod);
      for (const container of message.containers) containers.push(container);
      return message.more ? 'more' : takeAll();
    },
  };
}
