import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Agent, program, startAgent } from '../support/agent.ts';
import { type Collector, startCollector } from '../support/otlp/collector.ts';
import { provesHistory } from '../support/otlp/history.ts';
import { AGENT_BIN, ROOT } from '../support/paths.ts';
import { until } from '../support/until.ts';

const collectors: Collector[] = [];
after(() => {
  for (const collector of collectors) collector.kill();
});

async function collect(): Promise<Collector> {
  const collector = await startCollector();
  collectors.push(collector);
  return collector;
}

function exportingTo({ port }: Collector): string[] {
  return ['--export-endpoint', `http://127.0.0.1:${port}`, '--export-catch-up-rate', '0'];
}

/** Makes an exec storm of this many seconds. */
function storm(seconds: number): void {
  execFileSync(program('storm'), ['2', `${seconds}`, program('noop')]);
}

/**
 * Ends an agent, and compares what it recorded with what a collector received. Other programs may
 * execute much on this machine: the next run exports what an end has no time for.
 */
async function finish(agent: Agent, collector: Collector): Promise<void> {
  const args = ['--journal-dir', agent.journalDir, '--pin-dir', agent.pinDir, '--output', 'json'];
  const waiting = () =>
    JSON.parse(execFileSync(AGENT_BIN, ['status', ...args], { encoding: 'utf8' })).export.bytes;
  for (equal(await agent.stop(), 0); waiting() > 0; equal(await agent.stop(), 0))
    await agent.start();
  agent.records();
  provesHistory({ received: collector.lines, journal: agent.journal.lines });
}

test('everything that an agent records reaches the collector, up to its last line', async () => {
  const collector = await collect();
  const agent = await startAgent({ args: exportingTo(collector) });
  try {
    storm(1);
    await finish(agent, collector);
    ok(agent.journal.lines.length > 100);
    equal(new Set(collector.lines).size, collector.lines.length);
    match(collector.lines.at(-1) ?? '', /"action":"journal\.checkpoint"/);
    match(collector.lines.at(-2) ?? '', /"action":"journal\.stop"/);
  } finally {
    await agent.close();
  }
});

test('an agent that is killed repeatedly loses nothing, and duplicates only what it had sent', async () => {
  const collector = await collect();
  const agent = await startAgent({ args: exportingTo(collector) });
  try {
    for (let round = 0; round < 4; round++) {
      storm(1);
      await agent.kill();
      await agent.start();
    }
    await finish(agent, collector);
  } finally {
    await agent.close();
  }
});

test('a missing collector prevents neither the start nor the end of an agent', async () => {
  const agent = await startAgent({ args: ['--export-endpoint', 'http://127.0.0.1:1'] });
  try {
    storm(1);
    await until('the warning', () => agent.stderr.includes('records are held in the journal'));
    const { stdout } = spawnSync(
      AGENT_BIN,
      ['status', '--journal-dir', agent.journalDir, '--pin-dir', agent.pinDir],
      { encoding: 'utf8' },
    );
    match(stdout, /^export +[\d.]+ (B|KiB|MiB) of the journal are not exported yet/m);
    equal(await agent.stop(), 0);
    match(
      agent.stderr,
      /some records were not exported before the agent stopped; the next run exports them/,
    );
    const collector = await collect();
    await agent.start(...exportingTo(collector));
    equal(await agent.stop(), 0);
    agent.records();
    const journal = agent.journal.lines.slice(0, new Set(collector.lines).size);
    provesHistory({ received: collector.lines, journal });
    ok(collector.lines.length > 0);
    ok(existsSync(join(agent.journalDir, 'export-cursor.json')));
    equal(statSync(join(agent.journalDir, 'export-cursor.json')).mode & 0o777, 0o600);
  } finally {
    await agent.close();
  }
});

/** Runs an agent that is refused before it begins; returns its stderr. */
function refusedWith(args: readonly string[], env: Record<string, string> = {}): string {
  const { status, stderr } = spawnSync(
    AGENT_BIN,
    ['run', '--journal-dir', '/nowhere/at/all', ...args],
    {
      encoding: 'utf8',
      timeout: 20_000,
      env: { ...process.env, ...env },
    },
  );
  equal(status, 78, stderr);
  return stderr;
}

test('invalid credentials, headers and protocols of the export end an agent at its start with 78', () => {
  const endpoint = ['--export-endpoint', 'https://collector:4317'];
  match(refusedWith([...endpoint, '--export-certificate', '/nowhere/ca']), /\/nowhere\/ca: ENOENT/);
  match(refusedWith(endpoint, { OTEL_EXPORTER_OTLP_CLIENT_KEY: '/nowhere/key' }), /\/nowhere\/key/);
  match(
    refusedWith(endpoint, { OTEL_EXPORTER_OTLP_HEADERS: 'no pair' }),
    /OTEL_EXPORTER_OTLP_HEADERS: /,
  );
  match(
    refusedWith(endpoint, {
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'a=1',
      OTEL_EXPORTER_OTLP_HEADERS: 'a b=1',
    }),
    /OTEL_EXPORTER_OTLP_HEADERS: /,
  );
  match(
    refusedWith(endpoint, { OTEL_EXPORTER_OTLP_HEADERS: 'a=%00;%zz' }),
    /OTEL_EXPORTER_OTLP_HEADERS: the header a has a value that is not printable/,
  );
  match(
    refusedWith(endpoint, { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }),
    /OTEL_EXPORTER_OTLP_PROTOCOL is "http\/protobuf", but the agent exports over gRPC only; unset it/,
  );
});

test('OTEL_ variables work, and those for logs take precedence', async () => {
  const collector = await collect();
  const other = await collect();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${other.port}`;
  process.env.OTEL_EXPORTER_OTLP_LOGS_ENDPOINT = `http://127.0.0.1:${collector.port}`;
  process.env.OTEL_EXPORTER_OTLP_HEADERS = 'x-tenant=shop%20one';
  process.env.OTEL_SERVICE_NAME = 'audit';
  process.env.OTEL_RESOURCE_ATTRIBUTES = 'service.name=other,team=a%2Cb';
  try {
    const agent = await startAgent();
    try {
      await finish(agent, collector);
      equal(other.calls.length, 0);
      equal(collector.calls[0]?.metadata['x-tenant'], 'shop one');
      const { resource } = JSON.parse(collector.lines[0] ?? '');
      deepEqual([resource['service.name'], resource.team], ['audit', 'a,b']);
    } finally {
      await agent.close();
    }
  } finally {
    for (const name of Object.keys(process.env))
      if (name.startsWith('OTEL_')) delete process.env[name];
  }
});

test('without an endpoint nothing of the export is loaded', async () => {
  const code = `
    import { Module } from 'node:module';
    const { prepareExport } = await import('${ROOT}/agent/run/export-wiring.ts');
    const { checkRun } = await import('${ROOT}/agent/run/check-run.ts');
    await import('${ROOT}/agent/run/run.ts');
    const { credentials } = await checkRun({ exportEndpoint: '' }, {}, {});
    await prepareExport({ exportEndpoint: '' }, credentials, {});
    const loaded = () => Object.keys(Module._cache).filter((name) => name.includes('@grpc')).length;
    const before = loaded();
    await prepareExport({ exportEndpoint: 'a:1', exportRules: [] }, {}, {});
    console.log(before, loaded() > 0);`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  equal(printed, '0 true\n');
});
