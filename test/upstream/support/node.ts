/** The pod and the containers that the scenarios are about. */
import type { Container, PodSandbox } from '../../../src/nri/index.ts';
import { type ContainerDescription, exampleContainer, examplePod } from '../../../src/testing/index.ts';

const example = examplePod();

export function pod(fields: Partial<PodSandbox> = {}): PodSandbox {
  return { ...example, ...fields };
}

let containers = 0;

/** A container that differs from the example in these fields; its id is new unless it is given. */
export function containerWith(fields: ContainerDescription = {}): Container {
  return exampleContainer(example, { id: `container-${++containers}`, ...fields });
}

/** A container that has one of nearly everything, under the keys that scripts claim. */
export function richContainer(): Container {
  const { linux, mounts } = containerWith();
  return containerWith({
    annotations: { orig: 'v0', other: 'o' },
    env: ['PATH=/bin', 'ORIG=0', 'EMPTY=', 'LAST=a=b'],
    mounts: [...mounts.slice(0, 2), { destination: '/orig', type: 'bind', source: '/s0', options: ['rbind', 'ro'] }],
    rlimits: [{ type: 'RLIMIT_CORE', hard: 2n ** 64n - 1n, soft: 0 }],
    hooks: { prestart: [{ path: '/orig-hook', args: [], env: [] }] },
    linux: {
      ...linux!,
      devices: [{ path: '/dev/orig', type: 'c', major: 1, minor: 0 }],
      resources: {
        memory: { limit: 0, swap: 2n ** 63n - 1n },
        cpu: { shares: 2n ** 64n - 1n, quota: -1, cpus: '0-1', mems: '' },
        hugepageLimits: [{ pageSize: '2MB', limit: 0 }],
        unified: { 'memory.high': '0' },
        devices: [{ allow: false, type: '', access: 'rwm' }],
      },
    },
  });
}
