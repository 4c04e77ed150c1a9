/** Go programs such as the judge's, built with Debian's packages of Go and of upstream's NRI, which are unpacked into the cache and never installed. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../../e2e/support/lock.ts';
import { type Package, type Pinned, unpackPackages } from '../../e2e/support/packages.ts';
import { within } from './within.ts';

/** Kept between runs and ignored by git; may be removed at any time that no test runs. */
const cache = resolve(import.meta.dirname, '../../../.cache/upstream');

const forky = (name: string, version: string) => ({ name, suite: 'forky', version });

const toolchain = {
  go: forky('golang-1.26-go', '1.26.10-1'),
  goSource: forky('golang-1.26-src', '1.26.10-1'),
};

/** What pkg/adaptation and pkg/stub import, directly or not: their packages' dependencies in full would be ten times as much. */
const libraries = {
  nri: forky('golang-github-containerd-nri-dev', '0.8.0-1'),
  ttrpc: forky('golang-github-containerd-ttrpc-dev', '1.2.7-1'),
  log: forky('golang-github-containerd-log-dev', '0.1.0-2'),
  gogo: forky('golang-github-gogo-protobuf-dev', '1.3.2-3'),
  protobufOld: forky('golang-github-golang-protobuf-1-5-dev', '1.5.4-2'),
  cri: forky('golang-github-kubernetes-cri-api-dev', '0.32.3-1'),
  oci: forky('golang-github-opencontainers-specs-dev', '1.2.1-2'),
  logrus: forky('golang-github-sirupsen-logrus-dev', '1.9.3-2'),
  net: forky('golang-golang-x-net-dev', '1:0.61.0-1'),
  sys: forky('golang-golang-x-sys-dev', '0.49.0+dfsg-1'),
  text: forky('golang-golang-x-text-dev', '0.43.0-1'),
  genproto: forky('golang-google-genproto-dev', '0.0~git20260414.afd174a-2'),
  grpc: forky('golang-google-grpc-dev', '1.81.1-1'),
  protobuf: forky('golang-google-protobuf-dev', '1.36.10-2'),
};

/** A cold cache on a slow line, or another run that fills it. */
const patience = 10 * 60_000;

export type GoProgram = {
  path: string;
  /** Debian's version of upstream's code: `0.8.0-1`. */
  nriVersion: string;
};
export type JudgeProgram = GoProgram;

export function prepareJudge(): Promise<JudgeProgram> {
  return prepareGoProgram(resolve(import.meta.dirname, '../judge'), 'judge');
}

/**
 * Builds the Go program of folder `source` into the cache, as `name`, and fetches what is not there: about a minute the first time. `more` are
 * packages that it imports beside those of pkg/adaptation and pkg/stub.
 */
export async function prepareGoProgram(source: string, name: string, more: Record<string, Pinned> = {}): Promise<GoProgram> {
  const { go, goSource, ...unpacked } = await within(
    patience,
    `Debian's packages, or the lock on ${cache}`,
    unpackPackages<string>(cache, { ...more, ...toolchain, ...libraries }),
  );
  const path = join(cache, name);
  const built = withLock(join(cache, 'lock'), async () => {
    const goRoot = await assembleGo(go!, goSource!);
    await build(goRoot, Object.values(unpacked), source, path);
  });
  await within(patience, `the program ${name}, or the lock on ${cache}`, built);
  return { path, nriVersion: unpacked['nri']!.version };
}

/** Debian keeps what depends on the machine apart from what does not; the go command wants both in one folder. */
async function assembleGo(go: Package, goSource: Package): Promise<string> {
  const folder = join(cache, `go-${go.version}`);
  if (existsSync(folder)) return folder;
  const work = await mkdtemp(join(cache, 'go-'));
  try {
    const own = go.path('usr/lib/go-1.26');
    const parts = [
      ['VERSION', join(own, 'VERSION')],
      ['go.env', join(own, 'go.env')],
      ['bin', join(own, 'bin')],
      ['pkg/tool', join(own, 'pkg/tool')],
      ['pkg/include', go.path('usr/share/go-1.26/pkg/include')],
      ['src', goSource.path('usr/share/go-1.26/src')],
    ] as const;
    for (const [place, part] of parts) await cp(part, join(work, place), { recursive: true });
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

/** The go command keeps what it built: when nothing has changed this takes no second. */
async function build(goRoot: string, unpacked: readonly Package[], source: string, target: string): Promise<void> {
  await mkdir(join(cache, 'build'), { recursive: true });
  const env = {
    PATH: process.env['PATH'],
    HOME: cache,
    GOROOT: goRoot,
    GOPATH: unpacked.map(one => one.path('usr/share/gocode')).join(':'),
    GOCACHE: join(cache, 'build'),
    GOENV: 'off',
    GOFLAGS: '',
    GO111MODULE: 'off',
    GOTOOLCHAIN: 'local',
    CGO_ENABLED: '0',
  };
  await promisify(execFile)(join(goRoot, 'bin/go'), ['build', '-trimpath', '-o', target, '.'], { cwd: source, env, timeout: patience });
}
