import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from './archive.ts';
import type { Release } from './images.ts';
import type { Descriptor } from './oci.ts';

/** What a statement is about. */
export interface Subject {
  readonly name: string;
  readonly digest: { readonly sha256: string };
}

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export interface Statement {
  readonly _type: 'https://in-toto.io/Statement/v1';
  readonly subject: readonly Subject[];
  readonly predicateType: string;
  readonly predicate: object;
}

/** The types of the statements of a release. */
export const PREDICATE = {
  provenance: 'https://slsa.dev/provenance/v1',
  spdx: 'https://spdx.dev/Document',
} as const;

/** Debian's packages whose programs and libraries make what is compiled. */
const TOOLS = ['clang', 'g++', 'g++-aarch64-linux-gnu', 'libbpf-dev', 'lld', 'llvm', 'tar'];

/** Returns the name that statements have for what a release has under a name, or one image of it. */
export function subjectName(name: string, platform: Descriptor['platform']): string {
  return platform === undefined ? name : `${name}-${platform.os}-${platform.architecture}`;
}

/** Makes a statement about subjects. */
export function statement(
  subject: readonly Subject[],
  predicateType: string,
  predicate: object,
): Statement {
  return { _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate };
}

/**
 * Says what a release was made of, as SLSA 1.0 does. `packages` are the files of fetch-base, by
 * architecture.
 */
export function provenanceOf(
  root: string,
  release: Release,
  packages: ReadonlyMap<string, string>,
): object {
  const source = { name: 'source', digest: { gitCommit: release.revision } };
  const lock = sha256(readFileSync(join(root, 'package-lock.json')));
  return {
    buildDefinition: {
      buildType: 'urn:vcml-agent:make-release:1',
      externalParameters: { version: release.version },
      internalParameters: { sourceDateEpoch: release.epoch },
      resolvedDependencies: [
        source,
        { name: 'package-lock.json', digest: { sha256: lock } },
        ...[...packages].flatMap(([arch, file]) => debsIn(file, arch)),
        ...toolsHere(),
      ],
    },
    runDetails: { builder: { id: 'urn:vcml-agent:make' } },
  };
}

function debsIn(file: string, arch: string): object[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  return lines.map((line) => {
    const [name = '', version = '', digest = ''] = line.split(' ');
    return { uri: purl(name, version, arch), digest: { sha256: digest } };
  });
}

/** Debian's names say which these are; hashes of installed packages are not kept. */
function toolsHere(): object[] {
  const fields = ['Package', 'Version', 'Architecture'].map((field) => `\${${field}}`);
  const format = `--showformat=${fields.join(' ')}\\n`;
  const query = (name: string) => {
    try {
      const options = { encoding: 'utf8', stdio: 'pipe' } as const;
      return execFileSync('dpkg-query', ['--show', format, name], options);
    } catch {
      return '';
    }
  };
  return TOOLS.map(query)
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', version = '', arch = ''] = line.trim().split(' ');
      return { uri: purl(name, version, arch) };
    });
}

function purl(name: string, version: string, arch: string): string {
  return `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${arch}`;
}
