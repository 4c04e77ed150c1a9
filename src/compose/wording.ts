/** How messages show what a script returned: short, on one line, whatever it is. */

const maxShown = 60;

/** A value in a message. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'bigint':
      // Turning a huge bigint into decimal digits takes seconds.
      return value > -(2n ** 128n) && value < 2n ** 128n ? `${value}n` : 'a bigint of more than 128 bits';
    case 'symbol':
      return `a ${quote(value.description ?? 'symbol').slice(1, -1)}`;
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
    case 'function':
      return 'a function';
    default:
      return String(value);
  }
}

/** A path with one more member; a name that is not plain is quoted and cut. */
export function member(at: string, name: string): string {
  if (!/^[\w.\-/]{1,100}$/.test(name)) return `${at}[${quote(name)}]`;
  return at ? `${at}.${name}` : name;
}

/** `; did you mean quota?` when a known name is near, else empty. Also finds `cgroups_path` for `cgroupsPath`. */
export function nearest(name: string, known: readonly string[]): string {
  if (name.length > 40) return '';
  const plainName = simplify(name);
  let best: string | undefined;
  let least = (name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3))) + 1;
  for (const candidate of known) {
    const distance = editDistance(plainName, simplify(candidate));
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best === undefined ? '' : `; did you mean ${best}?`;
}

function quote(value: string): string {
  return JSON.stringify(value.length > maxShown ? `${value.slice(0, maxShown)}…` : value);
}

function simplify(name: string): string {
  return name.replace(/[_-]/g, '').toLowerCase();
}

/** Levenshtein's distance, two rows. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    previous = row;
  }
  return previous[b.length]!;
}
