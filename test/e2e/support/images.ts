/** The container images that the tests run, made on the spot: there is no registry. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { output } from './command.ts';
import { cacheFolder, type Package } from './packages.ts';

/** A root file system with busybox; its entry point is a shell. */
export const busyboxImage = 'localhost/busybox:test';
/** What holds a pod's namespaces: sleeps. */
export const pauseImage = 'localhost/pause:test';

/** To be raised when what this file makes changes. */
const revision = 1;
const applets = 'cat dd echo env false grep head id kill ls mkdir mount nproc sh sleep stat tail test touch true wc'.split(' ');

/** One tar with both images, an OCI image layout (image-spec, image-layout.md). Resolves to its path in the cache. */
export async function prepareImages(busybox: Package): Promise<string> {
  const file = join(cacheFolder, `images-${revision}-${busybox.version.replace(':', '%3a')}.tar`);
  if (existsSync(file)) return file;
  const work = await mkdtemp(join(cacheFolder, 'images-'));
  try {
    await writeLayout(join(work, 'layout'), await layerOf(join(work, 'root'), busybox));
    await output('tar', ['--create', '--file', join(work, 'images.tar'), '--directory', join(work, 'layout'), '.']);
    await rename(join(work, 'images.tar'), file);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return file;
}

async function layerOf(root: string, busybox: Package): Promise<Buffer> {
  for (const folder of ['bin', 'etc', 'dev', 'proc', 'sys', 'tmp']) await mkdir(join(root, folder), { recursive: true });
  await copyFile(busybox.path('bin/busybox'), join(root, 'bin/busybox'));
  for (const applet of applets) await symlink('busybox', join(root, 'bin', applet));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\n');
  const archive = `${root}.tar`;
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  await output('tar', ['--create', ...same, '--file', archive, '--directory', root, '.']);
  return readFile(archive);
}

type Descriptor = { mediaType: string; digest: string; size: number };

async function writeLayout(folder: string, layer: Buffer): Promise<void> {
  const blobs = join(folder, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });

  async function blob(mediaType: string, content: Buffer | object): Promise<Descriptor> {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const hash = createHash('sha256').update(bytes).digest('hex');
    await writeFile(join(blobs, hash), bytes);
    return { mediaType, digest: `sha256:${hash}`, size: bytes.length };
  }

  async function image(name: string, Entrypoint: string[]): Promise<object> {
    const layers = [await blob('application/vnd.oci.image.layer.v1.tar', layer)];
    const config = await blob('application/vnd.oci.image.config.v1+json', {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Entrypoint, Env: ['PATH=/bin', 'FROM_IMAGE=yes'] },
      rootfs: { type: 'layers', diff_ids: layers.map(one => one.digest) },
    });
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = await blob(mediaType, { schemaVersion: 2, mediaType, config, layers });
    return { ...manifest, annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name } };
  }

  const manifests = [await image(busyboxImage, ['/bin/sh']), await image(pauseImage, ['/bin/sleep', '1000000'])];
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}
