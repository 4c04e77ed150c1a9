/** No CFS quota for latency-sensitive pods: those annotated `qos.class: ls` get a CPU quota of -1, at creation and at every update. */
import type { PodSandbox, Script } from 'nri-scripts';

const unlimited = { linux: { resources: { cpu: { quota: -1 } } } };

function isLatencySensitive(pod: PodSandbox): boolean {
  return pod.annotations['qos.class'] === 'ls';
}

export default {
  createContainer({ pod }) {
    if (isLatencySensitive(pod)) return { adjust: unlimited };
  },
  updateContainer({ pod, container }) {
    if (isLatencySensitive(pod)) return { update: [{ containerId: container.id, ...unlimited }] };
  },
} satisfies Script;
