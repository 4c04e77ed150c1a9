import { beginCreate, type Composition, type Contributor, contribute, type Grant, grants, type Known } from '../../src/compose/index.ts';
import type { Container, LinuxContainer } from '../../types/index.d.ts';

export const everything: ReadonlySet<Grant> = new Set<Grant>(grants);

export function containerWith(parts: Partial<Omit<Container, 'linux'>> & { linux?: Partial<LinuxContainer> } = {}): Container {
  return {
    id: 'created',
    podSandboxId: 'pod',
    name: 'app',
    state: 'CONTAINER_CREATED',
    labels: {},
    annotations: {},
    args: ['/bin/app'],
    env: {},
    mounts: [],
    pid: 0,
    rlimits: [],
    createdAt: 0,
    startedAt: 0,
    finishedAt: 0,
    exitCode: 0,
    statusReason: '',
    statusMessage: '',
    cdiDevices: [],
    ...parts,
    linux: { namespaces: [], devices: [], cgroupsPath: '', sysctl: {}, netDevices: {}, ...parts.linux },
  };
}

/** A createContainer's composition after these results, of scripts 10-a, 20-b, …, that may do everything. */
export function composed(container: Container, results: unknown[], nriVersion = '', known?: Known): Composition {
  const composition = beginCreate({ container, nriVersion, known });
  results.forEach((result, index) => {
    contribute(composition, script(index), result);
  });
  return composition;
}

export function script(index: number): Contributor {
  return { script: `${index + 1}0-${'abcdefgh'[index]}`, allow: everything };
}
