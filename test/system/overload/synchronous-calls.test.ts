import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { listSegmentsSync } from '../../../agent/journal/segment.ts';
import { Agent, program } from '../../support/agent.ts';
import { startCollector } from '../../support/otlp/collector.ts';
import { urlOf } from '../../support/scrape.ts';
import { until } from '../../support/until.ts';

/** Notes every synchronous call about a file of a folder while another file is there. */
function noteTo(file: string, folder: string, whileThere: string): string {
  return `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const { appendFileSync, existsSync } = fs;
const files = new Map();
for (const name of Object.keys(fs).filter((name) => name.endsWith('Sync'))) {
  const call = fs[name];
  fs[name] = Object.assign((path, ...more) => {
    if (String(path).startsWith(${JSON.stringify(folder)}) && existsSync(${JSON.stringify(whileThere)}))
      appendFileSync(${JSON.stringify(file)}, name + ' ' + new Error().stack.replaceAll('\\n', ' ') + '\\n');
    return call(path, ...more);
  }, call);
}
syncBuiltinESMExports();
`;
}

test('while an agent records, no call waits for the journal’s disk in the thread that answers probes', async (t) => {
  const collector = await startCollector();
  t.after(() => collector.kill());
  const options = {
    'telemetry-address': '0',
    'export-endpoint': `http://127.0.0.1:${collector.port}`,
    'segment-max-bytes': '64KiB',
    'journal-max-bytes': '512KiB',
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const agent = new Agent({ args });
  t.after(() => agent.close());
  const [hook, calls, recording] = ['hook.mjs', 'calls', 'recording'].map((name) =>
    join(agent.directory, name),
  ) as [string, string, string];
  writeFileSync(hook, noteTo(calls, agent.journalDir, recording));
  writeFileSync(calls, '');
  const before = process.env.NODE_OPTIONS ?? '';
  t.after(() => (process.env.NODE_OPTIONS = before));
  process.env.NODE_OPTIONS = `${before} --import ${hook}`;
  await agent.start();
  const metrics = await urlOf(agent, '/metrics');
  writeFileSync(recording, '');
  // Segments are closed, compressed, deleted and exported meanwhile.
  await until('deletions', async () => {
    for (let n = 0; n < 100; n++) execFileSync(program('noop'), [`${n}`]);
    await fetch(metrics);
    return (listSegmentsSync(agent.journalDir)[0]?.number ?? 0) > 2;
  });
  await until('the export', () => collector.lines.length > 500);
  assert.equal(readFileSync(calls, 'utf8'), '');
  assert.equal(await agent.stop(), 0, agent.stderr);
});
