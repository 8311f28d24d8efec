import { deepEqual, ok } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../../support/agent.ts';

/** Notes what is loaded, and writes it at the end. */
function noteTo(file: string): string {
  return `
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
process.on('exit', () => writeFileSync(${JSON.stringify(file)}, loaded.join('\\n')));
`;
}

/** What only a run with another configuration needs. */
const OTHERS =
  /@bufbuild|@grpc|@kubernetes|@opentelemetry|prom-client|\/yaml\/|agent\/(?:enrich\/pods\/(?!pod-source)|export\/send\/delivery|kube\/re|print\/format|telemetry\/listener)/;

test('a run loads nothing of an export, of pod metadata, of metrics or of printing that is not configured', async (t) => {
  const agent = new Agent({});
  t.after(() => agent.close());
  const [hook, file] = ['hook.mjs', 'loaded'].map((name) => join(agent.directory, name));
  writeFileSync(`${hook}`, noteTo(`${file}`));
  const before = process.env.NODE_OPTIONS ?? '';
  t.after(() => (process.env.NODE_OPTIONS = before));
  process.env.NODE_OPTIONS = `${before} --import ${hook}`;
  await agent.start();
  await agent.stop();
  const loaded = readFileSync(`${file}`, 'utf8').split('\n');
  t.diagnostic(`${loaded.filter((url) => url.startsWith('file:')).length} modules`);
  ok(loaded.some((url) => url.endsWith('agent/run/run.ts')));
  deepEqual(
    loaded.filter((url) => OTHERS.test(url)),
    [],
  );
});
