/** Pods that come and go, at a steady rate. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PodSandbox } from '../../src/nri/index.ts';
import { type EmbeddedRuntime, realisticContainer, realisticPod } from '../../src/testing/index.ts';

export type Load = {
  /** Pods begun, operations that failed, and containers that lack what the steady script adds. */
  readonly counts: { pods: number; containers: number; failed: number; lacking: number };
  /** What failed, the first few. */
  readonly failures: string[];
  /** Ends it when the pod at hand is through. */
  stop(): Promise<void>;
};

/** Begins a pod every `intervalMs` at the soonest, one after the other; `living` pods are there at a time. */
export function startLoad(runtime: EmbeddedRuntime, intervalMs: number, living: number): Load {
  const counts = { pods: 0, containers: 0, failed: 0, lacking: 0 };
  const failures: string[] = [];
  const pods: PodSandbox[] = [];
  let isStopping = false;

  async function begin(): Promise<void> {
    const pod = await runtime.runPod(realisticPod({ name: `soak-${counts.pods++}` }));
    pods.push(pod);
    for (const name of ['app', 'sidecar']) {
      counts.containers++;
      const { container, spec } = await runtime.createContainer(pod, realisticContainer(pod, { name }));
      if (!spec.process?.env?.includes(`STEADY=${name}`)) counts.lacking++;
      await runtime.startContainer(container);
      if (name === 'app') await runtime.updateContainer(container, { cpu: { shares: 512 } });
    }
  }

  async function run(): Promise<void> {
    while (!isStopping) {
      const next = performance.now() + intervalMs;
      try {
        await begin();
        if (pods.length > living) {
          const oldest = pods.shift()!;
          await runtime.stopPod(oldest);
          await runtime.removePod(oldest);
        }
      } catch (error) {
        counts.failed++;
        if (failures.length < 20) failures.push(String(error));
      }
      await sleep(Math.max(0, next - performance.now()));
    }
  }

  const running = run();
  return {
    counts,
    failures,
    async stop() {
      isStopping = true;
      await running;
    },
  };
}
