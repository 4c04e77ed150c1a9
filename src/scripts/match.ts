/** `match:` in a script's settings: for which pods and containers it runs at all. Decided by the host, without entering the sandbox. */

/** Globs (`*`, `?`); one that begins with `!` excludes. A list without any that include, includes all. */
type Globs = string[];

export type Match = {
  namespaces?: Globs;
  pods?: Globs;
  containers?: Globs;
  runtimeHandler?: Globs;
  /** By key, of the pod. */
  labels?: Record<string, Globs>;
  annotations?: Record<string, Globs>;
};

export type MatchPod = {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  runtimeHandler: string;
};

/** True when the script is to run for this pod and, in a container's event, for this container. */
export type Matcher = (pod: MatchPod, container: { name: string } | undefined) => boolean;

const lists = ['namespaces', 'pods', 'containers', 'runtimeHandler'] as const;
const records = ['labels', 'annotations'] as const;

/** Reads the setting. Throws an Error that says what it takes. */
export function readMatch(given: unknown): Match {
  if (given === null || typeof given !== 'object' || Array.isArray(given)) throw new Error(`expected ${[...lists, ...records].join(', ')}`);
  const match: Match = {};
  for (const [key, value] of Object.entries(given)) {
    const list = lists.find(each => each === key);
    const record = records.find(each => each === key);
    if (list) match[list] = readGlobs(key, value);
    else if (record) match[record] = readRecord(key, value);
    else throw new Error(`${key}: there is no such key; there are ${[...lists, ...records].join(', ')}`);
  }
  return match;
}

function readRecord(key: string, value: unknown): Record<string, Globs> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error(`${key}: expected globs by key`);
  return Object.fromEntries(Object.entries(value).map(([name, globs]) => [name, readGlobs(`${key}.${name}`, globs)]));
}

function readGlobs(key: string, value: unknown): Globs {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const globs = list.map(each => (typeof each === 'number' || typeof each === 'boolean' ? String(each) : each));
  if (globs.length === 0 || !globs.every(each => typeof each === 'string')) throw new Error(`${key}: expected a glob or a list of globs`);
  return globs;
}

/** Compiles the setting; what it does not name is not asked. */
export function matcherOf(match: Match | undefined): Matcher {
  if (!match) return () => true;
  const { namespaces, pods, containers, runtimeHandler, labels = {}, annotations = {} } = match;
  const keyed = (globs: Record<string, Globs>) => Object.entries(globs).map(([key, each]) => [key, testerOf(each)] as const);
  const ofLabels = keyed(labels);
  const ofAnnotations = keyed(annotations);
  const [ofNamespace, ofPod, ofContainer, ofHandler] = [namespaces, pods, containers, runtimeHandler].map(
    globs => globs && testerOf(globs),
  );
  return (pod, container) =>
    (!ofNamespace || ofNamespace(pod.namespace)) &&
    (!ofPod || ofPod(pod.name)) &&
    (!ofHandler || ofHandler(pod.runtimeHandler)) &&
    (!ofContainer || !container || ofContainer(container.name)) &&
    ofLabels.every(([key, test]) => test(own(pod.labels, key))) &&
    ofAnnotations.every(([key, test]) => test(own(pod.annotations, key)));
}

function own(record: Record<string, string>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** A value that is not there matches what only excludes. */
function testerOf(globs: Globs): (value: string | undefined) => boolean {
  const including = globs.filter(glob => !glob.startsWith('!'));
  const excluding = globs.filter(glob => glob.startsWith('!')).map(glob => glob.slice(1));
  return value => {
    if (value === undefined) return including.length === 0;
    return (
      (including.length === 0 || including.some(glob => matchesGlob(glob, value))) && !excluding.some(glob => matchesGlob(glob, value))
    );
  };
}

/** Greedy with one point to return to: no pattern takes more than length times length, whatever a pod's annotations hold. */
export function matchesGlob(glob: string, value: string): boolean {
  let [at, valueAt, star, retry] = [0, 0, -1, 0];
  while (valueAt < value.length) {
    if (glob[at] === '*') {
      star = at++;
      retry = valueAt;
    } else if (at < glob.length && (glob[at] === '?' || glob[at] === value[valueAt])) {
      at++;
      valueAt++;
    } else if (star >= 0) {
      at = star + 1;
      valueAt = ++retry;
    } else return false;
  }
  while (glob[at] === '*') at++;
  return at === glob.length;
}
