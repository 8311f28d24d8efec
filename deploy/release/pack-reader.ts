// Packs the folder that deploy/reader.ts made for npm, and as plug-ins of kubectl:
// node deploy/release/pack-reader.ts READER FOLDER URL [PLATFORM…]
// SOURCE_DATE_EPOCH is the time of everything in the archives, and URL where they will be.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { fetchPackage, locked } from '../fetch-package.ts';
import { sha256, writeArchive } from './archive.ts';

/** kubectl's names of platforms, and DuckDB's. */
const PLATFORMS = new Map([
  ['linux-amd64', 'linux-x64'],
  ['linux-arm64', 'linux-arm64'],
  ['darwin-amd64', 'darwin-x64'],
  ['darwin-arm64', 'darwin-arm64'],
]);

const [, , built, out, url, ...some] = process.argv;
const { SOURCE_DATE_EPOCH } = process.env;
if (
  built === undefined ||
  out === undefined ||
  url === undefined ||
  SOURCE_DATE_EPOCH === undefined
)
  throw new Error('usage: SOURCE_DATE_EPOCH=… node pack-reader.ts READER FOLDER URL [PLATFORM…]');
const epoch = Number(SOURCE_DATE_EPOCH);
const { version, license } = JSON.parse(readFileSync(join(built, 'package.json'), 'utf8'));

mkdirSync(out, { recursive: true });
writeArchive(join(out, `vcml-${version}.tgz`), built, { under: 'package', epoch });

const platforms = (some.length > 0 ? some : [...PLATFORMS.keys()]).map((platform) => {
  const [os = '', arch = ''] = platform.split('-');
  const folder = join(out, 'plug-in');
  rmSync(folder, { recursive: true, force: true });
  cpSync(built, folder, { recursive: true });
  for (const name of packagesFor(platform)) fetchPackage(name, join(folder, 'node_modules', name));
  const name = `kubectl-vcml-${version}-${platform}.tar.gz`;
  const file = join(out, name);
  writeArchive(file, folder, { epoch });
  rmSync(folder, { recursive: true });
  return {
    selector: { matchLabels: { os, arch } },
    uri: `${url}/${name}`,
    sha256: sha256(readFileSync(file)),
    bin: 'bin/kubectl-vcml.js',
  };
});
const plugin = {
  apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
  kind: 'Plugin',
  metadata: { name: 'vcml' },
  spec: {
    version: `v${version}`,
    homepage: url,
    shortDescription: 'Ask nodes what ran, and who caused it',
    description: `Asks the agents of vcml-agent what ran in a cluster, where, who caused it, and what is missing.\nLicence: ${license}.\n`,
    caveats: 'It needs Node 24 or later in the PATH.\n',
    platforms,
  },
};
writeFileSync(join(out, 'vcml.yaml'), stringify(plugin));

/** The packages that npm would install for a platform. */
function packagesFor(platform: string): string[] {
  const binary = PLATFORMS.get(platform);
  if (binary === undefined) throw new Error(`there is no reader for ${platform}`);
  const { dependencies } = locked('@duckdb/node-bindings');
  return [
    '@duckdb/node-api',
    '@duckdb/node-bindings',
    `@duckdb/node-bindings-${binary}`,
    ...Object.keys(dependencies ?? {}),
  ];
}
