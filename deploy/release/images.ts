import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipped, sha256, tarOf } from './archive.ts';
import { type Descriptor, type Layout, MEDIA } from './oci.ts';

/** What all images of a release have in common. */
export interface Release {
  readonly version: string;
  readonly license: string;
  /** The commit. */
  readonly revision: string;
  /** Its time, in Unix seconds. */
  readonly epoch: number;
}

/** The roots of an image for an architecture: FOLDER/ARCH/base and FOLDER/ARCH/agent. */
const LAYERS = ['base', 'agent'] as const;

/** Adds an image for each architecture, and the index of all of them. */
export function addImages(
  layout: Layout,
  roots: string,
  architectures: readonly string[],
  release: Release,
): { index: Descriptor; images: readonly Descriptor[] } {
  const images = architectures.map((architecture) => {
    const image = addImage(layout, join(roots, architecture), architecture, release);
    return { ...image, platform: { architecture, os: 'linux' } };
  });
  const annotations = labelsOf(release);
  const index = layout.addManifest({ mediaType: MEDIA.index, manifests: images, annotations });
  return { index, images };
}

function addImage(
  layout: Layout,
  folder: string,
  architecture: string,
  release: Release,
): Descriptor {
  const { epoch } = release;
  const created = new Date(epoch * 1000).toISOString();
  const tars = LAYERS.map((name) => {
    if (!existsSync(join(folder, name))) throw new Error(`${folder} has no ${name}`);
    return tarOf(join(folder, name), { epoch });
  });
  const config = {
    architecture,
    os: 'linux',
    created,
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Entrypoint: ['/opt/vcml-agent/bin/vcml-agent'],
      Cmd: ['run'],
      Labels: labelsOf(release),
    },
    rootfs: { type: 'layers', diff_ids: tars.map((tar) => `sha256:${sha256(tar)}`) },
    history: LAYERS.map((name) => ({ created, created_by: `make release: ${name}` })),
  };
  return layout.addManifest({
    mediaType: MEDIA.manifest,
    config: layout.add(config, MEDIA.config),
    layers: tars.map((tar) => layout.add(gzipped(tar), MEDIA.layer)),
    annotations: labelsOf(release),
  });
}

/** https://github.com/opencontainers/image-spec/blob/main/annotations.md */
export function labelsOf({ version, license, revision, epoch }: Release): Record<string, string> {
  return {
    'org.opencontainers.image.created': new Date(epoch * 1000).toISOString(),
    'org.opencontainers.image.description': 'Causal memory for Kubernetes nodes',
    'org.opencontainers.image.licenses': license,
    'org.opencontainers.image.revision': revision,
    'org.opencontainers.image.title': 'vcml-agent',
    'org.opencontainers.image.version': version,
  };
}

/** Returns the commit that is checked out. */
export function revisionOf(root: string): string {
  const command = ['-c', `safe.directory=${root}`, 'rev-parse', 'HEAD'];
  return execFileSync('git', command, { cwd: root, encoding: 'utf8' }).trim();
}
