/** Ways to spoil bytes. */
import type { Random } from './random.ts';

const interesting = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x08, 0x0a, 0x12, 0x1a, 0x22];

/** One small change; the length may change too. The bytes that are given stay as they are. */
export function spoil(random: Random, bytes: Uint8Array, other: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  const at = random.below(copy.length + 1);
  switch (random.below(8)) {
    case 0: {
      for (let count = 1 + random.below(8); count > 0 && copy.length > 0; count--) {
        const spot = random.below(copy.length);
        copy[spot] = copy[spot]! ^ (1 << random.below(8));
      }
      return copy;
    }
    case 1:
      return copy.subarray(0, at);
    case 2:
      return Buffer.concat([copy.subarray(0, at), Buffer.from(other).subarray(random.below(other.length + 1))]);
    case 3: {
      const end = Math.min(copy.length, at + 1 + random.below(16));
      copy.fill(random.pick(interesting), at, end);
      return copy;
    }
    case 4:
      return Buffer.concat([copy.subarray(0, at), random.bytes(1 + random.below(12)), copy.subarray(at)]);
    case 5: {
      const part = copy.subarray(at, at + 1 + random.below(40));
      return Buffer.concat([copy.subarray(0, at), ...Array.from({ length: 1 + random.below(30) }, () => part), copy.subarray(at)]);
    }
    case 6: {
      const end = Math.min(copy.length, at + random.below(64));
      return Buffer.concat([copy.subarray(0, at), copy.subarray(end)]);
    }
    default: {
      // A varint without an end, or one of ten bytes.
      const varint = Buffer.alloc(9 + random.below(4), 0xff);
      return Buffer.concat([copy.subarray(0, at), varint, copy.subarray(at)]);
    }
  }
}
