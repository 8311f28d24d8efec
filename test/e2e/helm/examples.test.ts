import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import { parseAllDocuments, stringify } from 'yaml';
import { RENDERED } from '../../../helm/render.ts';
import { Cluster } from '../cluster.ts';
import { run } from '../network.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** API groups of operators that are not in this cluster. */
const ABSENT = ['monitoring.coreos.com'];

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
const namespace = join(ROOT, 'deploy/manifests/namespace.yaml');
await cluster.kubectl('apply', `--filename=${namespace}`);

for (const { file } of RENDERED)
  test(`the API server takes ${relative(ROOT, file)}, with every field`, async () => {
    const objects = parseAllDocuments(readFileSync(file, 'utf8')).map((document) =>
      document.toJS(),
    );
    const known = objects.filter(
      (one) => one !== null && !ABSENT.some((group) => one.apiVersion.startsWith(group)),
    );
    const text = known.map((one) => stringify(one)).join('---\n');
    await run(['kubectl', 'apply', '--dry-run=server', '--validate=strict', '--filename=-'], text);
  });
