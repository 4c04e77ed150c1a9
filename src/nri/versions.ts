/**
 * What a runtime can do, by what it says of itself in Configure (facts C7 to C9).
 */
import { eventBit } from './events.ts';
import type { ConfigureRequest } from './messages.ts';

/** The events that every runtime knows. */
export const eventMaskBase = 0x7ff;
/** The events that a runtime knows from NRI 0.10. */
export const eventMaskFull = 0x3fff;

export type RuntimeAbilities = {
  /** The NRI version that the runtime speaks, `major.minor.patch`, told or inferred, rather too low than too high; empty when unknown. */
  nriVersion: string;
  /** The events that the runtime knows: a bit outside of it gets a plugin disconnected (fact C8). */
  eventMask: number;
};

/** Takes the NRI version that the runtime tells (from NRI 0.12), else infers it from the runtime's name and version. */
export function runtimeAbilities(runtime: Pick<ConfigureRequest, 'runtimeName' | 'runtimeVersion' | 'nriVersion'>): RuntimeAbilities {
  const nri = parseVersion(runtime.nriVersion) ?? inferNri(runtime.runtimeName, runtime.runtimeVersion);
  if (!nri) return { nriVersion: '', eventMask: eventMaskBase };
  return { nriVersion: nri.join('.'), eventMask: compareVersions(nri, [0, 10, 0]) >= 0 ? eventMaskFull : eventMaskBase };
}

/**
 * The mask to subscribe with. NRI reads 0 as "all events" (fact C8), so that nothing cannot be subscribed; the nearest is removePodSandbox,
 * the rarest event, after which nobody waits.
 */
export function subscription(wanted: number, { eventMask }: Pick<RuntimeAbilities, 'eventMask'>): number {
  return wanted & eventMask || eventBit('removePodSandbox');
}

type Version = readonly [major: number, minor: number, patch: number];

/** `-rc.1`, `~beta2`, `-dev`, and Go's pseudo-versions `-0.20250804103005-0123456789ab`. */
const preRelease = /^[-~.]?(?:alpha|beta|rc|dev|pre|0\.\d{14})/i;

/** NRI by the runtime's version, ascending: the last row that is not above it counts (fact C9). */
const nriOfContainerd = table({
  '1.7.0': '0.3.0',
  '1.7.7': '0.4.0',
  '1.7.14': '0.6.0',
  '1.7.16': '0.6.1',
  '1.7.26': '0.8.0',
  '2.2.0': '0.10.0',
  '2.2.1': '0.11.0',
  '2.3.0': '0.12.0',
});

const nriOfCrio = table({
  '1.26.0': '0.2.0',
  '1.27.0': '0.3.0',
  '1.29.0': '0.5.0',
  '1.31.0': '0.6.1',
  '1.32.0': '0.9.0',
  '1.34.0': '0.10.0',
  '1.35.0': '0.11.0',
});

const tables: ReadonlyMap<string, ReturnType<typeof table>> = new Map([
  ['containerd', nriOfContainerd],
  // containerd 2.0.0 to 2.0.3 gives the last part of its module path for its name.
  ['v2', nriOfContainerd],
  ['cri-o', nriOfCrio],
]);

function table(rows: Record<string, string>): Array<{ since: Version; nri: Version }> {
  return Object.entries(rows).map(([since, nri]) => ({ since: parseVersion(since)!, nri: parseVersion(nri)! }));
}

function inferNri(name: string, versionText: string): Version | undefined {
  const version = parseVersion(versionText);
  if (!version) return undefined;
  return tables.get(name)?.findLast(({ since }) => compareVersions(version, since) >= 0)?.nri;
}

/**
 * The version in a text such as `v2.2.1`, `1.34.0`, `v2.2.1-k3s1`, `1.7.24~ds1` or `v2.2.0-225-gabc.m`. A pre-release counts as the release
 * before it: what it lacks is not known. Undefined for hashes, `(devel)` and `0.0.0-unknown`.
 */
function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?![\d.])(.*)$/s.exec(text.trim());
  if (!match) return undefined;
  const [major, minor, patch] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  if (!preRelease.test(match[4]!)) return major + minor + patch === 0 ? undefined : [major, minor, patch];
  if (patch > 0) return [major, minor, patch - 1];
  return minor > 0 ? [major, minor - 1, 0] : undefined;
}

function compareVersions(one: Version, other: Version): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}
