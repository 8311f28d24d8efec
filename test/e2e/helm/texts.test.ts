import { deepEqual, equal, match } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../../agent/config/load.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { HELMS, type HelmName, objectOf, refusal, template } from './template.ts';

const REMEDY = /a text: put it in quotes \(\\?"1\.10\\?"\) or use --set-string/;

/** Values that Helm reads as numbers or as true and false, where the chart needs a text. */
const UNQUOTED = [
  'config: {clusterName: 012345678901}',
  'config: {clusterName: 007}',
  'config: {clusterName: 1.10}',
  'config: {clusterName: yes}',
  'config: {pinDir: 5}',
  'config: {kubeconfig: 5}',
  'config: {podLabels: [007]}',
  'config: {exportRules: [1]}',
  'image: {tag: 1.10}',
  'collector: {image: {tag: 2}}',
  'podAnnotations: {version: 1.10}',
  'labels: {enabled: true}',
  'secrets: [007]',
];

/** Texts that YAML could take for something else. */
const NAMES = [
  '007',
  '012345678901',
  '1.10',
  '0x1F',
  '1e3',
  'yes',
  'no',
  'null',
  'true',
  '~a',
  '5',
];

/** The configuration that an agent reads from the ConfigMap of a chart with these values. */
async function configOf(config: object, helm: HelmName) {
  const values = JSON.stringify({ config });
  const map = objectOf('ConfigMap', template(values, helm)) as unknown as ConfigMap;
  const file = join(temporaryFolder(), 'vcml-agent.yaml');
  writeFileSync(file, map.data['vcml-agent.yaml'] ?? '');
  return (await loadConfig({ flags: {}, env: {}, file })).config;
}

interface ConfigMap {
  readonly data: Readonly<Record<string, string>>;
}

for (const helm of HELMS) {
  for (const values of UNQUOTED)
    test(`${helm}: refuses ${values}, and says to put it in quotes`, () => {
      match(refusal(values, helm), REMEDY);
    });

  test(`${helm}: a text in quotes reaches the agent as it stands`, async () => {
    for (const name of NAMES) {
      const config = await configOf(
        { clusterName: name, podLabels: [name.replace('~', '')] },
        helm,
      );
      equal(config.clusterName, name);
      deepEqual(config.podLabels, [name.replace('~', '')]);
    }
  });

  test(`${helm}: a number stays a number where the agent expects one`, async () => {
    const given = { tableEntries: 4096, ringSize: 1 << 20, quietAfter: 0, exportBatchRecords: 5 };
    const config = await configOf(given, helm);
    deepEqual(
      [config.tableEntries, config.ringSize, config.quietAfter, config.exportBatchRecords],
      [4096, 1 << 20, 0, 5],
    );
  });
}
