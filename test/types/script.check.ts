/**
 * What the types of the script API accept and refuse. Nothing runs here: `npm run check` compiles it, and an expected error that does
 * not come is an error.
 */
import type { Script, UpdateResult } from 'nri-scripts';

export const good = {
  async createContainer({ pod, container }, nri) {
    const limit: number | bigint | undefined = container.linux?.resources?.memory?.limit;
    nri.log.info(pod.name, { limit });
    if (nri.config.on) nri.update({ containerId: container.id });
    return {
      adjust: {
        env: { A: '1', B: null },
        mounts: [{ destination: '/x', remove: true }, { destination: '/y' }],
        linux: { resources: { memory: { limit: 1n }, cpu: { quota: -1 } } },
      },
      update: [{ containerId: 'x', linux: { resources: { cpu: { shares: 5 } } } }],
    };
  },
  runPodSandbox() {},
  stopContainer: () => undefined,
} satisfies Script<{ on: boolean }>;

export const wrongHandler = {
  // @ts-expect-error: no such handler
  createContainr() {},
} satisfies Script;

export const wrongField = {
  // @ts-expect-error: no such field
  createContainer() {
    return { adjust: { linux: { resources: { cpu: { quote: -1 } } } } };
  },
  updateContainer() {
    // @ts-expect-error: one good field does not hide the wrong one from `satisfies`
    return { update: [{ containerId: 'x', linux: { resources: { cpu: { quota: -1, quote: -1 } } } }] } satisfies UpdateResult;
  },
} satisfies Script;

export const wrongType = {
  // @ts-expect-error: a text is no quota
  createContainer() {
    return { adjust: { linux: { resources: { cpu: { quota: '-1' } } } } };
  },
} satisfies Script;

export const resultOfAnEventThatTakesNone = {
  // @ts-expect-error: postCreateContainer has no result
  postCreateContainer: () => ({ adjust: {} }),
} satisfies Script;

export const wrongInput = {
  runPodSandbox(event) {
    // @ts-expect-error: a pod's event has no container
    return event.container;
  },
} satisfies Script;
