/** The monotonic clock in milliseconds (CLOCK_MONOTONIC, clock_gettime(2)): the same in host and sandbox. */
export function monotonicNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
