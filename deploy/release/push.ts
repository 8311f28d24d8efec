// Pushes a release, signed: node deploy/release/push.ts FOLDER REGISTRY KEY
// REGISTRY is HOST/PATH, and KEY the file of a private key (PEM, ECDSA P-256).
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  blobPath,
  type Descriptor,
  describe,
  isManifest,
  type Manifest,
  MEDIA,
  manifestIn,
  namedIn,
  partsOf,
} from './oci.ts';
import { PREDICATE, type Statement, statement, subjectName } from './provenance.ts';
import { Repository } from './registry.ts';
import { COSIGN, payloadOf, publicKeyOf, sealed, signed } from './signature.ts';

const [, , folder, registry, keyFile] = process.argv;
if (folder === undefined || registry === undefined || keyFile === undefined)
  throw new Error('usage: node push.ts FOLDER REGISTRY KEY');
const layout = join(folder, 'oci');
const key = createPrivateKey(readFileSync(keyFile));
const publicKey = publicKeyOf(key).export({ type: 'spki', format: 'pem' });
const provenance: Statement = JSON.parse(readFileSync(join(folder, 'provenance.json'), 'utf8'));
const sums = readFileSync(join(folder, 'SHA256SUMS'));
writeFileSync(join(folder, 'SHA256SUMS.sig'), `${signed(sums, key)}\n`);
writeFileSync(join(folder, 'cosign.pub'), publicKey);

for (const { name, manifest } of namedIn(layout)) {
  const [path = '', tag] = name.split(':');
  const repository = new Repository(`${registry}/${path}`);
  await push(repository, manifest, tag);
  for (const part of [manifest, ...(manifestIn(layout, manifest).manifests ?? [])])
    await attach(repository, part, path, key);
  console.log(`${registry}/${name}@${manifest.digest}`);
}

/** Pushes a manifest after its parts. */
async function push(repository: Repository, descriptor: Descriptor, tag?: string): Promise<void> {
  for (const part of partsOf(manifestIn(layout, descriptor)))
    if (isManifest(part)) await push(repository, part);
    else await repository.pushBlob(part, contentOf(part));
  await repository.pushManifest(contentOf(descriptor), descriptor.mediaType, tag);
}

/** Attaches the signature of a manifest, and the statements about it. */
async function attach(
  repository: Repository,
  part: Descriptor,
  name: string,
  key: KeyObject,
): Promise<void> {
  const payload = payloadOf(repository.name, part.digest);
  const annotations = { [COSIGN.signature]: signed(payload, key) };
  await refer(repository, part, COSIGN.signatures, 'sig', [
    { bytes: payload, mediaType: COSIGN.payload, annotations },
  ]);
  const statements = [provenance, ...billOf(part, name)];
  const envelopes = statements.map((made) => ({
    bytes: Buffer.from(JSON.stringify(sealed(made, key))),
    mediaType: COSIGN.envelope,
    annotations: { [COSIGN.signature]: '', predicateType: made.predicateType },
  }));
  await refer(repository, part, COSIGN.attestations, 'att', envelopes);
}

/** The bill of materials of an image for one architecture, and of the reader. */
function billOf({ digest, platform }: Descriptor, name: string): Statement[] {
  const version = namedIn(layout)[0]?.name.split(':')[1];
  const file = `${subjectName(`${name}-${version}`, platform)}.spdx.json`;
  if (platform === undefined && name !== 'vcml') return [];
  const bill = JSON.parse(readFileSync(join(String(folder), 'sbom', file), 'utf8'));
  const subject = {
    name: subjectName(name, platform),
    digest: { sha256: digest.replace('sha256:', '') },
  };
  return [statement([subject], PREDICATE.spdx, bill)];
}

/**
 * Pushes an artifact about a subject. Its tag is where cosign looks in registries that cannot list
 * referrers.
 */
async function refer(
  repository: Repository,
  { mediaType, digest, size }: Descriptor,
  artifactType: string,
  kind: 'att' | 'sig',
  contents: readonly {
    readonly bytes: Buffer<ArrayBuffer>;
    readonly mediaType: string;
    readonly annotations: Readonly<Record<string, string>>;
  }[],
): Promise<void> {
  const layers: Descriptor[] = [];
  for (const { bytes, mediaType: type, annotations } of contents) {
    const layer = { ...describe(bytes, type), annotations };
    await repository.pushBlob(layer, bytes);
    layers.push(layer);
  }
  const empty = {
    architecture: '',
    os: '',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
  };
  const configBytes = Buffer.from(JSON.stringify(empty));
  // Older registries take its type for that of the artifact.
  const config = describe(configBytes, artifactType);
  await repository.pushBlob(config, configBytes);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    artifactType,
    config,
    layers,
    subject: { mediaType, digest, size },
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await repository.pushManifest(bytes, MEDIA.manifest, `${digest.replace(':', '-')}.${kind}`);
}

function contentOf(descriptor: Descriptor): Uint8Array<ArrayBuffer> {
  return readFileSync(blobPath(layout, descriptor));
}
