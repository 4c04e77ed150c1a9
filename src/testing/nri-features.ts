/** What a runtime does and does not, by the version of NRI that it embeds (facts C5, C9, C11, D8, G1). */
import { runtimeAbilities } from '../nri/index.ts';
import { type MergeRules, mergeRules } from './merge-rules.ts';

export type NriFeatures = {
  /** `major.minor.patch` */
  readonly version: string;
  /** Configure tells the version. */
  readonly tellsVersion: boolean;
  /** Configure tells the timeouts. */
  readonly tellsTimeouts: boolean;
  /** Synchronize is split when it is larger than a message may be. */
  readonly splitsSync: boolean;
  /** A plugin that the runtime launched is synchronised too (read in pkg/adaptation of v0.6.1 and v0.7.0). */
  readonly syncsLaunched: boolean;
  /** Operations are kept back while a plugin synchronises. */
  readonly holdsOperations: boolean;
  /** Pod and container events without an answer have their own methods. */
  readonly dedicatedEvents: boolean;
  /** UpdatePodSandbox, PostUpdatePodSandbox and ValidateContainerAdjustment exist. */
  readonly laterEvents: boolean;
  /** How plugins' answers are merged. */
  readonly merge: MergeRules;
};

export type RuntimeIdentity = { name: string; version: string; nri: NriFeatures };

/** Completes what a runtime says of itself: what is not given is chosen to fit what is. */
export function runtimeIdentity(given: { name?: string; version?: string; nriVersion?: string }): RuntimeIdentity {
  const { name = 'containerd' } = given;
  const version = given.version ?? containerdWith(given.nriVersion);
  const inferred = runtimeAbilities({ runtimeName: name, runtimeVersion: version, nriVersion: given.nriVersion ?? '' });
  return { name, version, nri: featuresOf(inferred.nriVersion || '0.8.0') };
}

function featuresOf(version: string): NriFeatures {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const since = (since: number) => major > 0 || minor >= since;
  return {
    version,
    tellsVersion: since(12),
    tellsTimeouts: since(7),
    splitsSync: since(7),
    syncsLaunched: since(7),
    holdsOperations: since(7),
    dedicatedEvents: since(12),
    laterEvents: since(10),
    merge: mergeRules(version),
  };
}

/** A containerd release that embeds this NRI version, as plugins infer NRI from it (fact C9). */
function containerdWith(nriVersion: string | undefined): string {
  const minor = Number(/^v?0\.(\d+)/.exec(nriVersion ?? '')?.[1] ?? Number.POSITIVE_INFINITY);
  return releases.find(([since]) => minor >= since)?.[1] ?? 'v1.7.0';
}

const releases: ReadonlyArray<readonly [nriMinor: number, containerd: string]> = [
  [12, 'v2.3.0'],
  [11, 'v2.2.1'],
  [10, 'v2.2.0'],
  [8, 'v2.1.0'],
  [6, 'v1.7.24'],
  [4, 'v1.7.13'],
];
