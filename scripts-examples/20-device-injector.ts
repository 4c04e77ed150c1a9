/**
 * Injects what a pod's annotations ask for, as the device-injector plugin of containerd/nri does: devices, mounts, CDI and network
 * devices, I/O priority, scheduling policy, sysctls, memory policy. Its settings grant what it needs: 20-device-injector.yaml.
 *
 *     devices.noderesource.dev/container.NAME: |
 *       - path: /dev/fuse
 *         type: c
 *         major: 10
 *         minor: 229
 */
import type { ContainerAdjustment, LinuxIOPriority, LinuxMemoryPolicy, LinuxScheduler, Mount, Script } from 'nri-scripts';
import { parse } from 'yaml';

type Device = { path: string; type: string; major: number; minor: number; file_mode?: number; uid?: number; gid?: number };
type NetDevice = { hostIf: string; name?: string; Name?: string };

/** The value of the most specific annotation: for the container, for the pod, bare; the newer prefix before the older. */
function annotated<Value>(annotations: Record<string, string>, kind: string, container: string): Value | undefined {
  for (const place of [`/container.${container}`, '/pod', '']) {
    for (const domain of ['noderesource.dev', 'nri.io']) {
      const value = annotations[`${kind}.${domain}${place}`];
      // YAML 1.1, as upstream reads it: file_mode: 0666 is octal.
      if (value !== undefined) return parse(value, { version: '1.1' }) ?? undefined;
    }
  }
}

export default {
  createContainer({ pod, container }, nri) {
    const asked = <Value>(kind: string) => annotated<Value>(pod.annotations, kind, container.name);
    const netDevices = asked<NetDevice[]>('network-devices');
    const adjust: ContainerAdjustment = {
      mounts: asked<Mount[]>('mounts'),
      cdiDevices: asked<string[]>('cdi-devices')?.map(name => ({ name })),
      linux: {
        devices: asked<Device[]>('devices')?.map(({ file_mode, uid, gid, ...device }) => ({
          ...device,
          fileMode: file_mode || undefined,
          uid: uid || undefined,
          gid: gid || undefined,
        })),
        netDevices: netDevices && Object.fromEntries(netDevices.map(({ hostIf, name, Name }) => [hostIf, { name: name ?? Name }])),
        ioPriority: asked<LinuxIOPriority>('io-priority'),
        scheduler: asked<LinuxScheduler>('scheduling-policy'),
        sysctl: asked<Record<string, string>>('sysctl'),
        memoryPolicy: asked<LinuxMemoryPolicy>('memory-policy'),
      },
    };
    const text = JSON.stringify(adjust);
    if (text !== '{"linux":{}}') nri.log.info(`injecting into ${pod.name}/${container.name}: ${text}`);
    return { adjust };
  },
} satisfies Script;
