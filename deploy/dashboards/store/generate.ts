/** Writes the dashboard of a store to deploy/dashboards; with --check, reports that it is stale. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboard } from './dashboard.ts';

const NAME = 'vcml-store.json';

const path = join(import.meta.dirname, '..', NAME);
const text = `${JSON.stringify(dashboard(), null, 2)}\n`;
if (!process.argv.includes('--check')) writeFileSync(path, text);
else if (readFileSync(path, 'utf8') !== text) {
  process.stderr.write(`deploy/dashboards/${NAME} is stale: make generate\n`);
  process.exitCode = 1;
}
