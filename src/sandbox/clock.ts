/** Where performance.now() begins on the monotonic clock, milliseconds. */
const origin = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** The monotonic clock in milliseconds (CLOCK_MONOTONIC, clock_gettime(2)): the same in host and sandbox, to some microseconds. */
export function monotonicNow(): number {
  return origin + performance.now();
}
