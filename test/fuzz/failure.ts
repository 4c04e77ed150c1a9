/** A case that broke an invariant, with the least input that still does. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure';
  readonly input: string;

  constructor(message: string, input: string, cause?: unknown) {
    super(message, { cause });
    this.input = input;
  }
}

/** What a fuzz run attacks. */
export type Target = {
  name: string;
  /** What is counted. */
  unit: string;
  /** One case; how many units it was. Throws {@link FuzzFailure}. */
  run(seed: number): number | Promise<number>;
};

/** Leaves out parts of a failing list while it still fails, halves first. */
export async function shrink<Part>(parts: readonly Part[], fails: (parts: Part[]) => boolean | Promise<boolean>): Promise<Part[]> {
  let least = [...parts];
  for (let size = Math.ceil(least.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < least.length; ) {
      const without = [...least.slice(0, at), ...least.slice(at + size)];
      if (without.length < least.length && (await fails(without))) least = without;
      else at += size;
    }
  }
  return least;
}

export type Faults = {
  /** What nobody caught since the last call. */
  take(): unknown[];
  stop(): void;
};

/** Collects exceptions and rejections that escape. */
export function watchFaults(): Faults {
  let faults: unknown[] = [];
  const note = (error: unknown) => {
    faults.push(error);
  };
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
  return {
    take() {
      const taken = faults;
      faults = [];
      return taken;
    },
    stop() {
      process.removeListener('uncaughtException', note);
      process.removeListener('unhandledRejection', note);
    },
  };
}

const prototypes = [Object, Array, Function, String, Number, Boolean, Map, Set, Promise, Uint8Array, RegExp, Error].map(
  each => each.prototype as object,
);
const countOf = (prototype: object) => Reflect.ownKeys(prototype).length;
const pristine = prototypes.map(countOf);

/** Which built-in prototype has gained or lost a property since the program began; undefined for none. */
export function pollutedPrototype(): string | undefined {
  const index = prototypes.findIndex((prototype, at) => countOf(prototype) !== pristine[at]);
  return index < 0 ? undefined : (prototypes[index]!.constructor as { name: string }).name;
}
