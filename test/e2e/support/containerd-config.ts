/** containerd's configuration for the tests: everything below one folder. */
import { join } from 'node:path';
import { pauseImage } from './images.ts';
import { type Toml, toml } from './toml.ts';

/** Where one containerd keeps its things. */
export type Layout = {
  folder: string;
  /** containerd's own API. */
  apiSocket: string;
  nriSocket: string;
  /** NRI's plugin_path. */
  pluginFolder: string;
  /** NRI's plugin_config_path. */
  pluginConfigFolder: string;
  /** What containers write. */
  containerLogs: string;
  /** What containerd writes. */
  log: string;
};

export function layoutIn(folder: string): Layout {
  return {
    folder,
    apiSocket: join(folder, 'containerd.sock'),
    nriSocket: join(folder, 'nri.sock'),
    pluginFolder: join(folder, 'nri-plugins'),
    pluginConfigFolder: join(folder, 'nri-conf'),
    containerLogs: join(folder, 'container-logs'),
    log: join(folder, 'containerd.log'),
  };
}

/** `nri` holds further keys of the NRI plugin, such as plugin_request_timeout ("2s"). */
export function containerdConfig(version: string, { folder, ...layout }: Layout, runc: string, nri: Toml): string {
  const isOne = version.startsWith('1.');
  const runtimes = { runc: { runtime_type: 'io.containerd.runc.v2', options: { BinaryName: runc } } };
  const cniConfig = join(folder, 'cni');
  const criOfOne = {
    'io.containerd.grpc.v1.cri': {
      sandbox_image: pauseImage,
      restrict_oom_score_adj: true,
      containerd: { runtimes },
      cni: { bin_dir: cniConfig, conf_dir: cniConfig },
    },
  };
  const criOfTwo = {
    'io.containerd.cri.v1.images': { pinned_images: { sandbox: pauseImage } },
    'io.containerd.cri.v1.runtime': {
      restrict_oom_score_adj: true,
      containerd: { runtimes },
      // Pods of the tests use the host's network; there is nothing to set up.
      cni: { bin_dirs: [cniConfig], conf_dir: cniConfig },
    },
  };
  return toml({
    version: isOne ? 2 : 3,
    root: join(folder, 'root'),
    state: join(folder, 'state'),
    grpc: { address: layout.apiSocket },
    plugins: {
      ...(isOne ? criOfOne : criOfTwo),
      'io.containerd.internal.v1.opt': { path: join(folder, 'opt') },
      'io.containerd.nri.v1.nri': {
        disable: false,
        socket_path: layout.nriSocket,
        plugin_path: layout.pluginFolder,
        plugin_config_path: layout.pluginConfigFolder,
        ...nri,
      },
    },
  });
}
