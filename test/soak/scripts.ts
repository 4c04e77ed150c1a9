/** The scripts of a soak: most do something small, one in ten misbehaves, and every few seconds one comes, changes or goes. */
import { randomInt } from 'node:crypto';

/** The script that is always there; what it adds is looked for in every container. */
export const steady = {
  name: '00-steady.ts',
  text: `import type { Script } from 'nri-scripts';
export default {
  createContainer({ container }, nri) {
    const seen = Number(nri.state.get('seen') ?? 0) + 1;
    nri.state.set('seen', seen);
    return { adjust: { env: { STEADY: container.name } } };
  },
} satisfies Script;
`,
};

const good: Record<string, (n: number) => string> = {
  env: n =>
    `createContainer: ({ pod }) => ({ adjust: { env: { SOAK_${n}: pod.name }, annotations: { 'soak/${n}': '${randomInt(1000)}' } } })`,
  resources: n => `createContainer({ container }) {
    if (container.name !== 'app') return;
    return { adjust: { linux: { oomScoreAdj: ${n}, resources: { cpu: { shares: ${100 + n} }, memory: { limit: ${(n + 1) << 20} } } } } };
  }`,
  looksUp: () => `createContainer({ pod, container }, nri) {
    const others = nri.containers(pod.id).filter(({ id }) => id !== container.id);
    nri.log.info('neighbours', { count: others.length, pods: nri.pods().length });
    return { update: others.slice(0, 1).map(({ id }) => ({ containerId: id, linux: { resources: { cpu: { shares: 77 } } } })) };
  }`,
  remembers: () => `createContainer({ pod }, nri) { nri.state.set('last', pod.id.repeat(${1 + randomInt(20)})); },
  removePodSandbox({ pod }, nri) { nri.state.delete('last'); }`,
  follows:
    () => `postStartContainer: ({ container }, nri) => nri.update({ containerId: container.id, linux: { resources: { cpu: { quota: 1000 } } } }),
  stopContainer({ container }, nri) { nri.log.debug('stopped ' + container.name); },
  async updateContainer({ linuxResources }) { return undefined; }`,
};

const bad: Record<string, string> = {
  throws: "createContainer() { throw new Error('soak'); }",
  throwsLate: "async createContainer() { await null; throw new TypeError('soak'); }",
  nonsense: "createContainer: () => ({ adjust: { env: 5, linux: { resources: { cpu: { quota: 'much' } } } } })",
  loops: 'createContainer() { for (;;); }',
  loopsAsync: 'async createContainer() { for (;;) await null; }',
  neverSettles: 'createContainer: () => new Promise(() => {})',
  heap: 'createContainer() { const kept = []; for (;;) kept.push({ a: [1, 2, 3] }); }',
  buffers: 'createContainer() { const kept = []; for (;;) kept.push(new Uint8Array(8 << 20).fill(1)); }',
  hangsNatively: 'createContainer() { const a = []; a.length = 2 ** 32 - 1; a[5] = 1; a.copyWithin(0, 1); }',
  floods: "createContainer(_event, nri) { for (;;) nri.log.info('x'.repeat(1000)); }",
  syntax: 'createContainer() { return {',
};

const population = { least: 27, most: 33 };

export type Change = { write?: Record<string, string>; remove?: string[]; kind: string };

export type ScriptPlan = {
  /** The files to begin with. */
  first(): Record<string, string>;
  next(): Change;
  counts(): { scripts: number; misbehaving: number };
};

export function createScriptPlan(): ScriptPlan {
  const present = new Map<string, { isBad: boolean }>();

  function make(name: string): { files: Record<string, string>; kind: string } {
    const misbehaving = [...present].filter(([other, { isBad }]) => isBad && other !== name).length;
    const isBad = misbehaving < Math.round(population.least / 10);
    const kinds = Object.keys(isBad ? bad : good);
    const kind = kinds[randomInt(kinds.length)]!;
    const handlers = isBad ? bad[kind]! : good[kind]!(Number(name.slice(0, 2)));
    present.set(name, { isBad });
    const files: Record<string, string> = { [name]: `export default {\n  ${handlers},\n};\n` };
    if (randomInt(3) === 0)
      files[name.replace('.ts', '.yaml')] =
        `timeout: ${50 + randomInt(100)}ms\nconfig: { step: ${randomInt(100)} }\nmatch: { namespaces: [default, soak-*] }\n`;
    return { files, kind };
  }

  const free = () => Array.from({ length: population.most }, (_, n) => `${10 + n}-soak.ts`).filter(name => !present.has(name));
  const anyOf = (names: string[]) => names[randomInt(names.length)]!;

  return {
    first() {
      let files: Record<string, string> = { [steady.name]: steady.text };
      while (present.size < (population.least + population.most) / 2) files = { ...files, ...make(anyOf(free())).files };
      return files;
    },
    next() {
      const dice = randomInt(3);
      if (dice === 0 && present.size < population.most) {
        const { files, kind } = make(anyOf(free()));
        return { write: files, kind: `added ${kind}` };
      }
      const misbehaving = [...present.keys()].filter(name => present.get(name)!.isBad);
      // Those that misbehave are soon set aside: a new version runs at once.
      const name = misbehaving.length > 0 && randomInt(3) === 0 ? anyOf(misbehaving) : anyOf([...present.keys()]);
      if (dice === 1 && present.size > population.least) {
        present.delete(name);
        return { remove: [name, name.replace('.ts', '.yaml')], kind: 'removed' };
      }
      const { files, kind } = make(name);
      return { write: files, kind: `changed to ${kind}` };
    },
    counts: () => ({ scripts: present.size + 1, misbehaving: [...present.values()].filter(({ isBad }) => isBad).length }),
  };
}
