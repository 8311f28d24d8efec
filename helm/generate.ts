/** Writes the files that are generated from helm/ and deploy/; with --check, reports stale ones. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboard } from './dashboard.ts';
import { chartReadme } from './readme.ts';
import { valuesSchema } from './schema.ts';
import { neededValues, valuesYaml } from './values-yaml.ts';

const ROOT = join(import.meta.dirname, '..');
const CHART = 'helm/vcml-agent';

const dashboardText = json(dashboard());
const files: Readonly<Record<string, string>> = {
  [`${CHART}/values.yaml`]: valuesYaml(),
  [`${CHART}/values.schema.json`]: json(valuesSchema()),
  [`${CHART}/README.md`]: chartReadme(),
  [`${CHART}/files/needed-values.txt`]: neededValues(),
  // A chart must have all its files in its own folder.
  [`${CHART}/files/alerts.yaml`]: readFileSync(join(ROOT, 'deploy/alerts/vcml-agent.yaml'), 'utf8'),
  [`${CHART}/files/dashboard.json`]: dashboardText,
  'deploy/dashboards/vcml-agent.json': dashboardText,
};

const isCheck = process.argv.includes('--check');
for (const [file, text] of Object.entries(files)) {
  const path = join(ROOT, file);
  if (!isCheck) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    process.stderr.write(`${file} is stale: make generate\n`);
    process.exitCode = 1;
  }
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
