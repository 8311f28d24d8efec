import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { nodePackage } from './node-package.ts';
import { type Component, debianComponents, npmComponent, sbomOf } from './sbom.ts';

const ROOT = join(import.meta.dirname, '..');

/**
 * Writes the parts of a bundle to sbom.spdx.json and their licences to LICENSES/third-party. The
 * folder `built` contains the compiled parts.
 */
export function writeParts(folder: string, metafiles: readonly Metafile[], built: string): void {
  const cross = join(built, 'dpkg');
  const dpkg = existsSync(cross) ? cross : '/var/lib/dpkg';
  // node-addon-api consists of headers only, which are compiled into the addon.
  const packages = [...packagesIn(metafiles), 'node_modules/node-addon-api'].sort();
  const nodeFolder = nodePackage(built).folder;
  const node = npmComponent(nodeFolder);
  const parts: readonly Component[] = [
    ...packages.map((path) => npmComponent(join(ROOT, path))),
    { ...node, cpe: `cpe:2.3:a:nodejs:node.js:${node.version}:*:*:*:*:*:*:*` },
    ...debianComponents(dpkg, 'libbpf-dev').map(
      (libbpf): Component => ({
        ...libbpf,
        license: 'LGPL-2.1-only OR BSD-2-Clause',
        relation: 'STATIC_LINK',
      }),
    ),
  ];
  writeBill(folder, agentComponent(), parts);
  for (const path of packages) copyLicenses(folder, path, join(ROOT, path));
  copyLicenses(folder, node.name, nodeFolder);
  copyLicenses(folder, 'libbpf', '/usr/share/doc/libbpf-dev');
}

/**
 * Writes the parts of the reader's package in the same way. `dependencies` are what npm installs
 * beside it, which is not in it.
 */
export function writeReaderParts(
  folder: string,
  metafile: Metafile,
  dependencies: readonly string[],
): void {
  const packages = [...packagesIn([metafile])].sort();
  const { version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const purl = `pkg:npm/vcml@${version}`;
  writeBill(folder, { name: 'vcml', version, license, purl, relation: 'CONTAINS' }, [
    ...packages.map((path) => npmComponent(join(ROOT, path))),
    ...dependencies.map(
      (name): Component => ({
        ...npmComponent(join(ROOT, 'node_modules', name)),
        relation: 'DEPENDS_ON',
      }),
    ),
  ]);
  for (const path of packages) copyLicenses(folder, path, join(ROOT, path));
}

function writeBill(folder: string, whole: Component, parts: readonly Component[]): void {
  const sbom = sbomOf(whole, parts);
  writeFileSync(join(folder, 'sbom.spdx.json'), `${JSON.stringify(sbom, null, 2)}\n`);
}

/** Lists the folders of the npm packages whose code is in a bundle. */
function packagesIn(metafiles: readonly Metafile[]): Set<string> {
  const inputs = metafiles
    .flatMap(({ outputs }) => Object.values(outputs))
    .flatMap((output) => Object.entries(output.inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const folders = inputs.flatMap(
    ([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [],
  );
  return new Set(folders);
}

/** Returns the license of the agent together with that of its BPF programs. */
export function agentLicense(): string {
  const { license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return `${license} AND (GPL-2.0-only OR BSD-2-Clause)`;
}

function agentComponent(): Component {
  const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return {
    name,
    version,
    license: agentLicense(),
    purl: `pkg:generic/${name}@${version}`,
    relation: 'CONTAINS',
  };
}

function copyLicenses(folder: string, name: string, from: string): void {
  const files = readdirSync(from).filter((file) => /^(licen[cs]e|notice|copyright)/i.test(file));
  const to = join(folder, 'LICENSES/third-party', name.replace(/^node_modules\//, ''));
  mkdirSync(to, { recursive: true });
  for (const file of files) copyFileSync(join(from, file), join(to, file));
}
