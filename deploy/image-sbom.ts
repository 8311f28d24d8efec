// Adds the Debian packages of an image to the bill of materials of the bundle in it:
// node deploy/image-sbom.ts SBOM DPKG_FOLDER
import { readFileSync, writeFileSync } from 'node:fs';
import { type Component, debianComponents, sbomOf } from './sbom.ts';

const [, , file, admindir] = process.argv;
if (file === undefined || admindir === undefined)
  throw new Error('usage: node deploy/image-sbom.ts SBOM DPKG_FOLDER');
const bundle = JSON.parse(readFileSync(file, 'utf8'));
const { name, versionInfo: version, licenseDeclared: license } = bundle.packages[0];
const packages = debianComponents(admindir);
const image: Component = {
  name: `${name}-image`,
  version,
  license,
  purl: `pkg:generic/${name}-image@${version}`,
  relation: 'CONTAINS',
};
writeFileSync(file, `${JSON.stringify(sbomOf(image, packages, bundle), null, 2)}\n`);
