/** Updates that scripts ask for outside of any answer (`nri.update`). The plugin session holds them back while it answers (fact D7). */
import type { Logger } from 'pino';
import type { ContainerUpdate } from '../../types/index.d.ts';

/** Sends updates to the runtime; gives those that it could not carry out. */
export type SendUpdates = (updates: ContainerUpdate[]) => Promise<readonly ContainerUpdate[]>;

/** Sends updates and logs what became of them; `send` is undefined without a connection. */
export async function sendUnsolicited(logger: Logger, send: SendUpdates | undefined, updates: ContainerUpdate[]): Promise<void> {
  const containers = updates.map(update => update.containerId);
  const failed = (why: string) => logger.warn({ code: 'UPDATE_FAILED', containers }, `${containers.join(', ')} not updated: ${why}`);
  if (!send) {
    failed('there is no connection to the runtime');
    return;
  }
  try {
    const refused = new Set((await send(updates)).map(update => update.containerId));
    if (refused.size > 0) failed(`the runtime could not update ${[...refused].join(', ')}`);
    else logger.info({ containers }, `updated ${containers.join(', ')}`);
  } catch (error) {
    failed(error instanceof Error ? error.message : String(error));
  }
}
