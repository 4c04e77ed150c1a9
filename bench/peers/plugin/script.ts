/** The same job as main.go's as a script. `index` is replaced in each copy. */
import type { Script } from 'nri-scripts';
import { parse } from 'yaml';

type Device = { path: string; type: string; major: number; minor: number; file_mode?: number; uid?: number; gid?: number };
type Mount = { source: string; destination: string; type: string; options: string[] };

const index = 'INDEX';

/** The most specific annotation of this kind: for the container, for the pod, bare. */
function annotated<Value>(annotations: Record<string, string>, kind: string, container: string): Value[] {
  for (const place of [`/container.${container}`, '/pod', '']) {
    const value = annotations[`${kind}.nri.io${place}`];
    // YAML 1.1, as upstream reads it: file_mode: 0666 is octal.
    if (value !== undefined) return parse(value, { version: '1.1' }) ?? [];
  }
  return [];
}

export default {
  createContainer({ pod, container }, nri) {
    const devices = annotated<Device>(pod.annotations, 'devices', container.name);
    const mounts = annotated<Mount>(pod.annotations, 'mounts', container.name);
    const adjust = {
      mounts: mounts.map(({ source, destination, type, options }) => ({ source, destination: destination + index, type, options })),
      linux: {
        devices: devices.map(({ path, type, major, minor, file_mode, uid, gid }) => ({
          path: path + index,
          type,
          major,
          minor,
          ...(file_mode && { fileMode: file_mode }),
          ...(uid && { uid }),
          ...(gid && { gid }),
        })),
      },
    };
    nri.log.info(`${pod.name}/${container.name}: injected ${devices.length} devices, ${mounts.length} mounts`);
    return { adjust };
  },
} satisfies Script;
