/** NRI versions, as far as composition needs them: which fields a runtime knows (fact E10). */

/** A version as one comparable number; undefined for what does not say (empty, `(devel)`, `0.0.0-unknown`, fact C9). */
export function versionNumber(version: string): number | undefined {
  const match = /^v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?/.exec(version);
  if (!match) return undefined;
  return Number(match[1]) * 1e8 + Number(match[2]) * 1e4 + Number(match[3] ?? 0) || undefined;
}

/** Whether a runtime of this version is older than `since`; one that does not say its version is not. */
export function isOlder(version: number | undefined, since: string): boolean {
  return version !== undefined && version < versionNumber(since)!;
}
