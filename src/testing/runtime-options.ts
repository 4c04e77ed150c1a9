/** What an embedded runtime can be told, and what it tells. */
import type { Container, ContainerUpdate, PodSandbox } from '../nri/messages.ts';
import type { Resolvers } from './apply-adjustment.ts';
import type { CallRecord, PluginSettings } from './plugin.ts';

export type RuntimeOptions = Pick<PluginSettings, 'layout' | 'strict' | 'synchronizeBytesMax'> & {
  /** Where to listen. A socket file of an earlier life is replaced; the directory is made. At most 107 bytes (unix(7)). */
  socketPath: string;
  /** `containerd` (the default), `cri-o`, … */
  name?: string;
  /** As the runtime would give it; default: a containerd release that fits `nriVersion`. */
  version?: string;
  /** The NRI version that it speaks, `0.8.0` for example: decides which calls and fields there are. Default: what `name` and `version` embed. */
  nriVersion?: string;
  /** How long a plugin may take for a call; default 2000, upstream's (fact D2). */
  requestTimeoutMs?: number;
  /** How long a plugin may take to register; default 5000, upstream's (fact C3). */
  registrationTimeoutMs?: number;
  /** What runs already: plugins get it when they connect. */
  pods?: readonly PodSandbox[];
  containers?: readonly Container[];
  /** How block I/O and RDT classes, CDI devices and mount propagation come out. */
  resolvers?: Resolvers;
  /** Makes an unsolicited update fail to apply. */
  failUpdate?(update: ContainerUpdate): boolean;
  /** What a runtime would write to its log, in upstream's words. */
  onLog?(line: string): void;
  /** Every call to a plugin, when it is over. */
  onCall?(record: CallRecord): void;
};
