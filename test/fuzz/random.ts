/** Random choices that a seed brings back. */
export type Random = {
  /** 0 to below `end`. */
  below(end: number): number;
  /** True in this share of cases. */
  chance(share: number): boolean;
  pick<Value>(values: readonly Value[]): Value;
  bytes(length: number): Buffer;
  /** A seed for another one. */
  fork(): number;
};

/** mulberry32: 32 bits of state are enough to find cases, and to find them again. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
  const below = (end: number) => Math.floor((next() / 0x1_0000_0000) * end);
  return {
    below,
    chance: share => next() < share * 0x1_0000_0000,
    pick: values => values[below(values.length)]!,
    bytes: length => Buffer.from(Array.from({ length }, () => next() & 0xff)),
    fork: next,
  };
}
