/** Nine values each, the type's bounds and those of exact numbers among them. */
export const int64s = [0, -1, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, -(2n ** 53n) - 1n, 1, 4096, 2 ** 40];
export const uint64s = [0, 2n ** 64n - 1n, 2n ** 63n, 2n ** 53n + 1n, 1, 2, 1024, 2 ** 40, 262144];
