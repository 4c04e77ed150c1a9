/**
 * Milliseconds that a script may take of the `left` ones of an event, when with it `scripts` have yet to run: its own timeout, but at most
 * twice its even share, so that the first of many that hang leave time for the last.
 */
export function shareOf(timeout: number, left: number, scripts: number): number {
  return Math.ceil(Math.max(0, Math.min(timeout, left, (2 * left) / (scripts + 1))));
}
