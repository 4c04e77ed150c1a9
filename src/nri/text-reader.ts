/** protobufjs' reader, with strings read quickly. */
import protobuf from 'protobufjs';

/** Longer messages are read string by string: a piece of a string keeps the whole of it in memory. */
const longestShared = 64 << 10;
const highBytes = /[\x80-\xff]/g;

export type TextReader = protobuf.Reader & {
  /** A string field's value. Throws on bytes that are no UTF-8 (proto3 strings are checked, as Go does). */
  text(): string;
};

/**
 * Most strings are ASCII: these are pieces of one string that is made of the whole message at once, which costs a tenth of a call into Node for each. Where
 * bytes stand that are not ASCII is known, too.
 */
class BufferTextReader extends protobuf.BufferReader implements TextReader {
  readonly #all: string | undefined;
  /** Where bytes above 127 stand, in order, and the end of all. */
  readonly #high: number[] = [];
  #nextHigh = 0;

  constructor(bytes: Buffer) {
    super(bytes);
    if (bytes.length > longestShared) return;
    const all = bytes.toString('latin1');
    this.#all = all;
    highBytes.lastIndex = 0;
    while (highBytes.test(all)) this.#high.push(highBytes.lastIndex - 1);
    this.#high.push(bytes.length);
  }

  text(): string {
    const start = this.pos;
    const length = this.size();
    const from = this.pos;
    const end = from + length;
    if (this.#all !== undefined && end <= this.len) {
      // Fields are read in their order, so this only ever goes on.
      while (this.#high[this.#nextHigh]! < from) this.#nextHigh += 1;
      if (this.#high[this.#nextHigh]! >= end) {
        this.pos = end;
        return this.#all.slice(from, end);
      }
    }
    this.pos = start;
    const text = this.string();
    if (!text.includes('\ufffd')) return text;
    // Meant, or made of what is no UTF-8: the slow way says which.
    this.pos = start;
    return this.stringVerify();
  }
}

export function createTextReader(bytes: Uint8Array): TextReader {
  return new BufferTextReader(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
