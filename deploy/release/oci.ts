import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from './archive.ts';

/** The media types of the OCI image specification that a release has. */
export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  empty: 'application/vnd.oci.empty.v1+json',
} as const;

/** The annotation with the name of what an index lists. */
export const REF_NAME = 'org.opencontainers.image.ref.name';
/** The annotation with the name of a layer that is a file. */
export const TITLE = 'org.opencontainers.image.title';

/** What names content: https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The parts of an image manifest or an image index that a release uses. */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Returns the descriptor of these bytes. */
export function describe(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
}

/** Returns what a manifest consists of, in the order in which a registry takes it. */
export function partsOf({ config, layers, manifests }: Manifest): readonly Descriptor[] {
  return [...(config === undefined ? [] : [config]), ...(layers ?? []), ...(manifests ?? [])];
}

/** Whether a descriptor names a manifest, and not a blob. */
export function isManifest({ mediaType }: Descriptor): boolean {
  return mediaType === MEDIA.index || mediaType === MEDIA.manifest;
}

/** An OCI image layout in a folder: content by digest, and an index with names. */
export class Layout {
  readonly #folder: string;
  readonly #named: Descriptor[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
  }

  /** Adds content, and returns its descriptor. */
  add(content: Uint8Array | object, mediaType: string): Descriptor {
    const bytes = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content));
    const descriptor = describe(bytes, mediaType);
    writeFileSync(blobPath(this.#folder, descriptor), bytes);
    return descriptor;
  }

  /** Adds a manifest. */
  addManifest(manifest: Omit<Manifest, 'schemaVersion'>): Descriptor {
    return this.add({ schemaVersion: 2, ...manifest }, manifest.mediaType);
  }

  /** Gives a manifest a name: REPOSITORY:TAG. */
  name(manifest: Descriptor, name: string): void {
    this.#named.push({ ...manifest, annotations: { [REF_NAME]: name } });
  }

  /** Writes the index. */
  finish(): void {
    const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests: this.#named };
    writeFileSync(join(this.#folder, 'index.json'), `${JSON.stringify(index)}\n`);
    writeFileSync(join(this.#folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}\n');
  }
}

/** Returns the manifests of a layout that have names. */
export function namedIn(folder: string): { name: string; manifest: Descriptor }[] {
  const { manifests }: Manifest = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
  return (manifests ?? []).map(({ annotations, ...manifest }) => {
    const name = annotations?.[REF_NAME];
    if (name === undefined) throw new Error(`${manifest.digest} has no name in ${folder}`);
    return { name, manifest };
  });
}

/** Returns the file with the content of a layout that a descriptor names. */
export function blobPath(folder: string, { digest }: Pick<Descriptor, 'digest'>): string {
  return join(folder, 'blobs', digest.replace(':', '/'));
}

/** Reads a manifest of a layout. */
export function manifestIn(folder: string, descriptor: Descriptor): Manifest {
  return JSON.parse(readFileSync(blobPath(folder, descriptor), 'utf8'));
}
