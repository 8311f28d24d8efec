// Verifies a release in a registry: node deploy/release/verify.ts REGISTRY VERSION KEY [FOLDER]
// KEY is the file of the public key. With FOLDER, the registry must have what the folder has, and the
// files in it must be those that were signed. Exit code 1 means that something is wrong.
import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from './archive.ts';
import { type Descriptor, isManifest, type Manifest, namedIn, partsOf } from './oci.ts';
import { PREDICATE, type Statement, subjectName } from './provenance.ts';
import { Repository } from './registry.ts';
import { COSIGN, type Envelope, isSigned, publicKeyOf, unsealed } from './signature.ts';

/** What a release has in a registry, as build.ts names it. */
const NAMES = ['vcml-agent', 'charts/vcml-agent', 'vcml'] as const;

const [, , registry, version, keyFile, folder] = process.argv;
if (registry === undefined || version === undefined || keyFile === undefined)
  throw new Error('usage: node verify.ts REGISTRY VERSION KEY [FOLDER]');
const key = publicKeyOf(createPublicKey(readFileSync(keyFile)));

try {
  const local = folder === undefined ? undefined : verifyFolder(folder);
  for (const name of NAMES) {
    const repository = new Repository(`${registry}/${name}`);
    const digest = await verifyNamed(repository, name);
    const expected = local?.get(`${name}:${version}`);
    if (local !== undefined && digest !== expected)
      throw new Error(`${repository.name} has ${digest}, and the folder ${expected}`);
    console.log(`verified ${registry}/${name}:${version}@${digest}`);
  }
} catch (error) {
  console.error(`verify-release: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

/** Verifies what a tag names: its content, and for each manifest the signature and the statements. */
async function verifyNamed(repository: Repository, name: string): Promise<string> {
  const tagged = await repository.manifest(String(version));
  if (tagged === undefined) throw new Error(`${repository.name} has no ${version}`);
  const manifests = [tagged.descriptor, ...(tagged.manifest.manifests ?? [])];
  for (const part of manifests) {
    await verifySignature(repository, part);
    const types = await statementsAbout(repository, part, subjectName(name, part.platform));
    const needed: string[] = [PREDICATE.provenance];
    if (part.platform !== undefined || name === 'vcml') needed.push(PREDICATE.spdx);
    for (const type of needed)
      if (!types.has(type))
        throw new Error(`${repository.name}@${part.digest} has no signed statement ${type}`);
  }
  await verifyContent(repository, tagged.manifest);
  return tagged.descriptor.digest;
}

async function verifySignature(repository: Repository, part: Descriptor): Promise<void> {
  for await (const { layer, bytes } of attached(repository, part, COSIGN.signatures)) {
    const signature = layer.annotations?.[COSIGN.signature];
    if (signature === undefined || !isSigned(bytes, signature, key)) continue;
    const { critical } = JSON.parse(bytes.toString('utf8'));
    if (critical.image['docker-manifest-digest'] === part.digest) return;
  }
  throw new Error(`${repository.name}@${part.digest} has no signature of this key`);
}

/**
 * Returns the types of the signed statements that are about this manifest, under this name. Only
 * they, and not the signature, say which version it is: an old release is signed as well.
 */
async function statementsAbout(
  repository: Repository,
  part: Descriptor,
  name: string,
): Promise<Set<string>> {
  const types = new Set<string>();
  for await (const { bytes } of attached(repository, part, COSIGN.attestations)) {
    const envelope: Envelope = JSON.parse(bytes.toString('utf8'));
    const made = unsealed(envelope, key);
    const isAbout = made?.subject.some(
      (subject) => subject.name === name && `sha256:${subject.digest.sha256}` === part.digest,
    );
    if (made === undefined || isAbout !== true) continue;
    if (made.predicateType === PREDICATE.provenance) verifyVersion(made, part);
    types.add(made.predicateType);
  }
  return types;
}

function verifyVersion({ predicate }: Statement, { digest }: Descriptor): void {
  const { buildDefinition } = predicate as {
    buildDefinition?: { externalParameters?: { version?: unknown } };
  };
  const made = buildDefinition?.externalParameters?.version;
  if (made !== version) throw new Error(`${digest} is of version ${made}, and not ${version}`);
}

/** Reads what is attached to a manifest, of one type. */
async function* attached(
  repository: Repository,
  { digest }: Descriptor,
  artifactType: string,
): AsyncGenerator<{ layer: Descriptor; bytes: Buffer }> {
  for (const referrer of await repository.referrers(digest)) {
    if (referrer.artifactType !== artifactType) continue;
    const pulled = await repository.manifest(referrer.digest);
    for (const layer of pulled?.manifest.layers ?? [])
      yield { layer, bytes: await repository.blob(layer) };
  }
}

/** Reads all content, which must have the digests that the manifests name. */
async function verifyContent(repository: Repository, manifest: Manifest): Promise<void> {
  for (const part of partsOf(manifest)) {
    if (!isManifest(part)) {
      await repository.blob(part);
      continue;
    }
    const inner = await repository.manifest(part.digest);
    if (inner === undefined) throw new Error(`${repository.name} has no ${part.digest}`);
    await verifyContent(repository, inner.manifest);
  }
}

/** Verifies the files of a release, and returns the digests that its layout names. */
function verifyFolder(folder: string): ReadonlyMap<string, string> {
  const sums = readFileSync(join(folder, 'SHA256SUMS'));
  if (!isSigned(sums, readFileSync(join(folder, 'SHA256SUMS.sig'), 'utf8'), key))
    throw new Error(`${folder}/SHA256SUMS has no signature of this key`);
  for (const line of sums.toString('utf8').trimEnd().split('\n')) {
    const [digest, name = ''] = line.split('  ');
    const file = join(folder, name);
    if (!existsSync(file) || sha256(readFileSync(file)) !== digest)
      throw new Error(`${file} is not what SHA256SUMS says`);
  }
  return new Map(namedIn(join(folder, 'oci')).map(({ name, manifest }) => [name, manifest.digest]));
}
