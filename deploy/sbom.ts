import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A package of a bill of materials. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** The SPDX expression, or NOASSERTION if only the package's own files state it. */
  readonly license: string;
  /** The package URL: https://github.com/package-url/purl-spec */
  readonly purl: string;
  /** The CPE 2.3 name of a package that scanners do not find by its purl. */
  readonly cpe?: string;
  /** The relationship of the containing package to this one (SPDX 2.3, clause 11.1). */
  readonly relation: 'CONTAINS' | 'DEPENDS_ON' | 'STATIC_LINK';
}

/** A bill of materials in the JSON of SPDX 2.3; it describes its first package. */
export interface Sbom {
  readonly spdxVersion: string;
  readonly packages: readonly SbomPackage[];
  readonly relationships: readonly SbomRelationship[];
}

interface SbomPackage {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo: string;
  readonly licenseDeclared: string;
}

interface SbomRelationship {
  readonly spdxElementId: string;
  readonly relationshipType: string;
  readonly relatedSpdxElement: string;
}

/** Makes the bill of materials of these parts, and includes the bill that a part already has. */
export function sbomOf(whole: Component, others: readonly Component[], inner?: Sbom): object {
  const { SPDXID: id } = packageOf(whole);
  const listed = new Set(inner?.packages.map(({ SPDXID }) => SPDXID));
  const parts = others.filter((part) => !listed.has(packageOf(part).SPDXID));
  const packages = [...[whole, ...parts].map(packageOf), ...(inner?.packages ?? [])];
  const digest = createHash('sha256').update(JSON.stringify(packages)).digest('hex');
  const name = `${whole.name}-${whole.version}`;
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `https://spdx.org/spdxdocs/${name}-${digest}`,
    creationInfo: {
      created: created().toISOString().replace(/\.\d+/, ''),
      creators: [`Tool: ${name}`],
    },
    packages,
    relationships: [
      related('SPDXRef-DOCUMENT', 'DESCRIBES', id),
      ...parts.map((part) => related(id, part.relation, packageOf(part).SPDXID)),
      ...(inner?.relationships ?? []).map((relationship) =>
        relationship.relationshipType === 'DESCRIBES'
          ? related(id, 'CONTAINS', relationship.relatedSpdxElement)
          : relationship,
      ),
    ],
  };
}

/** The time of a reproducible build, if there is one: https://reproducible-builds.org/specs/source-date-epoch */
function created(): Date {
  const { SOURCE_DATE_EPOCH: epoch } = process.env;
  return epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);
}

/** Reads the npm package in a folder of node_modules. */
export function npmComponent(folder: string): Component {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return { name, version, license: license ?? 'NOASSERTION', purl, relation: 'CONTAINS' };
}

// A package whose triggers are pending is installed.
const UNPACKED = ['installed', 'triggers-awaited', 'triggers-pending'];

/**
 * Lists the Debian packages that are installed by the list of dpkg in a folder: all, or the named
 * ones.
 */
export function debianComponents(admindir: string, ...names: readonly string[]): Component[] {
  const fields = ['db:Status-Status', 'Package', 'Version', 'Architecture'];
  const format = fields.map((field) => `\${${field}} `).join('');
  const args = [`--admindir=${admindir}`, '--show', `--showformat=${format}\\n`, ...names];
  const lines = execFileSync('dpkg-query', args, { encoding: 'utf8' }).trim().split('\n');
  return lines.flatMap((line) => {
    const [status, name = '', version = '', architecture] = line.split(' ');
    const path = `${encodeURIComponent(name)}@${encodeURIComponent(version)}`;
    const purl = `pkg:deb/debian/${path}?arch=${architecture}`;
    if (!UNPACKED.includes(status ?? '')) return [];
    return [{ name, version, license: 'NOASSERTION', purl, relation: 'CONTAINS' }];
  });
}

function related(
  spdxElementId: string,
  relationshipType: string,
  relatedSpdxElement: string,
): SbomRelationship {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

function packageOf({ name, version, license, purl, cpe }: Component) {
  const refs = [['PACKAGE-MANAGER', 'purl', purl]];
  if (cpe !== undefined) refs.push(['SECURITY', 'cpe23Type', cpe]);
  return {
    SPDXID: `SPDXRef-${purl.replace('pkg:', '').replaceAll(/[^A-Za-z0-9.]+/g, '-')}`,
    name,
    versionInfo: version,
    licenseDeclared: license,
    licenseConcluded: 'NOASSERTION',
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    copyrightText: 'NOASSERTION',
    externalRefs: refs.map(([referenceCategory, referenceType, referenceLocator]) => ({
      referenceCategory,
      referenceType,
      referenceLocator,
    })),
  };
}
