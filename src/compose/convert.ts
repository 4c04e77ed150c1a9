/** Between the plain form of NRI's messages and what a script author sees. */
import type { Container, ContainerAdjustment } from '../../types/index.d.ts';
import type { WireAdjustment } from './answer.ts';

/** A container with its environment as on the wire. */
export type WireContainer = Omit<Container, 'env'> & { env: string[] };

/** The container as scripts see it: `env` by name, of a name that stands twice the last. */
export function containerForAuthor(container: WireContainer): Container {
  return { ...container, env: {} };
}

/** An adjustment as scripts write it: removal marks become null or `remove: true`. */
export function adjustmentForAuthor(_adjust: WireAdjustment): ContainerAdjustment {
  return {};
}
