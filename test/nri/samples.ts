import { createCodec } from '../../src/nri/codec.ts';
import type { Container, PodSandbox } from '../../src/nri/messages.ts';

const codec = createCodec();

/** A pod with all fields at their defaults but these. */
export function pod(id: string, fields: Partial<PodSandbox> = {}): PodSandbox {
  return { ...codec.decode('PodSandbox', new Uint8Array(0)), id, ...fields };
}

/** A container with all fields at their defaults but these. */
export function container(id: string, fields: Partial<Container> = {}): Container {
  return { ...codec.decode('Container', new Uint8Array(0)), id, ...fields };
}
