// Makes a release from its parts: node deploy/release/build.ts FOLDER ROOTS READER ARCHITECTURE…
// FOLDER is made. ROOTS has what prepare-image wrote for each architecture, and READER what pack-reader.ts
// wrote. SOURCE_DATE_EPOCH is the time of everything. Two runs give the same bytes.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { agentLicense } from '../parts.ts';
import { gzipped, sha256, tarOf } from './archive.ts';
import { addImages, labelsOf, type Release, revisionOf } from './images.ts';
import { type Descriptor, Layout, MEDIA, TITLE } from './oci.ts';
import { PREDICATE, provenanceOf, type Subject, statement, subjectName } from './provenance.ts';

const ROOT = join(import.meta.dirname, '../..');
const CHART = join(ROOT, 'helm/vcml-agent');
/** https://helm.sh/docs/topics/registries/ */
const HELM = {
  config: 'application/vnd.cncf.helm.config.v1+json',
  chart: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
} as const;
/** The type of the artifact that has the packages of `vcml`. */
const READER = 'application/vnd.vcml.reader.v1';

const [, , folder, roots, reader, ...architectures] = process.argv;
const { SOURCE_DATE_EPOCH } = process.env;
if (folder === undefined || roots === undefined || reader === undefined || !SOURCE_DATE_EPOCH)
  throw new Error('usage: SOURCE_DATE_EPOCH=… node build.ts FOLDER ROOTS READER ARCHITECTURE…');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const release: Release = {
  version,
  license: agentLicense(),
  revision: revisionOf(ROOT),
  epoch: Number(SOURCE_DATE_EPOCH),
};

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'sbom'), { recursive: true });
const layout = new Layout(join(folder, 'oci'));
const { index, images } = addImages(layout, roots, architectures, release);
layout.name(index, `vcml-agent:${version}`);
const chart = addChart();
layout.name(chart, `charts/vcml-agent:${version}`);
const packages = addReader();
layout.name(packages, `vcml:${version}`);
layout.finish();

for (const arch of architectures)
  cpSync(
    join(roots, arch, 'agent/opt/vcml-agent/sbom.spdx.json'),
    join(folder, 'sbom', `vcml-agent-${version}-linux-${arch}.spdx.json`),
  );
cpSync(join(reader, 'sbom.spdx.json'), join(folder, 'sbom', `vcml-${version}.spdx.json`));
writeProvenance();
writeSums();

/** Adds the chart as Helm pushes it. */
function addChart(): Descriptor {
  const archive = gzipped(tarOf(CHART, { under: 'vcml-agent', epoch: release.epoch }));
  writeFileSync(join(String(folder), `vcml-agent-${version}.tgz`), archive);
  const config = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'));
  return layout.addManifest({
    mediaType: MEDIA.manifest,
    config: layout.add(config, HELM.config),
    layers: [layout.add(archive, HELM.chart)],
    annotations: labelsOf(release),
  });
}

/** Adds the packages of the reader as files of one artifact. */
function addReader(): Descriptor {
  const files = readdirSync(String(reader)).filter((name) => /\.(gz|tgz|yaml)$/.test(name));
  const layers = files.toSorted().map((name) => {
    const bytes = readFileSync(join(String(reader), name));
    writeFileSync(join(String(folder), name), bytes);
    return { ...layout.add(bytes, 'application/octet-stream'), annotations: { [TITLE]: name } };
  });
  return layout.addManifest({
    mediaType: MEDIA.manifest,
    artifactType: READER,
    config: layout.add({}, MEDIA.empty),
    layers,
    annotations: { ...labelsOf(release), [TITLE]: 'vcml' },
  });
}

function writeProvenance(): void {
  const of = (name: string, { digest }: Descriptor): Subject => ({
    name,
    digest: { sha256: digest.replace('sha256:', '') },
  });
  const subjects = [
    of('vcml-agent', index),
    ...images.map((image) => of(subjectName('vcml-agent', image.platform), image)),
    of('charts/vcml-agent', chart),
    of('vcml', packages),
    ...filesOf().map(({ name, digest }): Subject => ({ name, digest: { sha256: digest } })),
  ];
  const debs = new Map(
    architectures.map((arch) => [arch, join(String(roots), arch, 'packages')] as const),
  );
  const provenance = provenanceOf(ROOT, release, debs);
  const made = statement(subjects, PREDICATE.provenance, provenance);
  writeFileSync(join(String(folder), 'provenance.json'), `${JSON.stringify(made, null, 2)}\n`);
}

/** Writes the hashes of all files, and of the manifests through the index of the layout. */
function writeSums(): void {
  const lines = filesOf().map(({ name, digest }) => `${digest}  ${name}\n`);
  writeFileSync(join(String(folder), 'SHA256SUMS'), lines.join(''));
}

/** The files of the release; what the layout has is named by its index. */
function filesOf(): { name: string; digest: string }[] {
  const top = readdirSync(String(folder), { withFileTypes: true });
  const names = [
    ...top.filter((entry) => entry.isFile()).map(({ name }) => name),
    ...readdirSync(join(String(folder), 'sbom')).map((name) => `sbom/${name}`),
    'oci/index.json',
  ];
  return names.toSorted().map((name) => ({
    name,
    digest: sha256(readFileSync(join(String(folder), name))),
  }));
}
