import { deepEqual, equal, rejects } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../agent/config/load.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const dir = temporaryFolder();

function fileWith(text: string): string {
  const file = join(dir, 'vcml-agent.yaml');
  writeFileSync(file, text);
  return file;
}

async function load(
  env: Record<string, string>,
  flags: Record<string, unknown> = {},
  file?: string,
) {
  return loadConfig({ flags, env, file });
}

const OTEL = 'OTEL_EXPORTER_OTLP_';

test('the default is no endpoint', async () => {
  const { config } = await load({});
  equal(config.exportEndpoint, '');
  deepEqual(config.exportRules, []);
});

test('a flag overrides VCML_AGENT_ variables, they override OTEL_ variables for logs, then general ones, then the file', async () => {
  const file = fileWith('exportEndpoint: file:1\n');
  const layers: [string, () => ReturnType<typeof load>][] = [
    ['file:1', () => load({}, {}, file)],
    ['all:1', () => load({ [`${OTEL}ENDPOINT`]: 'all:1' }, {}, file)],
    [
      'logs:1',
      () => load({ [`${OTEL}ENDPOINT`]: 'all:1', [`${OTEL}LOGS_ENDPOINT`]: 'logs:1' }, {}, file),
    ],
    [
      'ours:1',
      () =>
        load(
          { [`${OTEL}LOGS_ENDPOINT`]: 'logs:1', VCML_AGENT_EXPORT_ENDPOINT: 'ours:1' },
          {},
          file,
        ),
    ],
    [
      'flag:1',
      () => load({ VCML_AGENT_EXPORT_ENDPOINT: 'ours:1' }, { exportEndpoint: 'flag:1' }, file),
    ],
  ];
  for (const [endpoint, loaded] of layers) equal((await loaded()).config.exportEndpoint, endpoint);
});

test('the origin of a value is the variable’s name', async () => {
  const { origins } = await load({ [`${OTEL}LOGS_ENDPOINT`]: 'logs:1' });
  equal(origins.exportEndpoint, 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT');
});

test('OTEL_ variables mean what the specification of OpenTelemetry says', async () => {
  const { config } = await load({
    [`${OTEL}ENDPOINT`]: ' http://collector:4317 ',
    [`${OTEL}INSECURE`]: 'TRUE',
    [`${OTEL}TIMEOUT`]: '2500',
    [`${OTEL}COMPRESSION`]: 'none',
    [`${OTEL}CERTIFICATE`]: '/etc/ca.crt',
    [`${OTEL}CLIENT_CERTIFICATE`]: '/etc/tls.crt',
    [`${OTEL}LOGS_CLIENT_KEY`]: '/etc/tls.key',
    [`${OTEL}LOGS_TIMEOUT`]: '',
  });
  deepEqual(
    [config.exportEndpoint, config.exportInsecure, config.exportTimeout, config.exportCompression],
    ['http://collector:4317', 'true', 2500, 'none'],
  );
  deepEqual(
    [config.exportCertificate, config.exportClientCertificate, config.exportClientKey],
    ['/etc/ca.crt', '/etc/tls.crt', '/etc/tls.key'],
  );
});

test('rules are a list in the file, or one text with semicolons', async () => {
  const rules = ['allow namespace=a', 'deny'];
  const file = fileWith('exportRules:\n  - allow namespace=a\n  - deny\nexportInsecure: true\n');
  const fromFile = (await load({}, {}, file)).config;
  deepEqual([fromFile.exportRules, fromFile.exportInsecure], [rules, 'true']);
  deepEqual(
    (await load({}, { exportRules: 'allow namespace=a; deny;' })).config.exportRules,
    rules,
  );
});

test('every bad value is reported with the variable that contains it', async () => {
  await rejects(
    load(
      {
        [`${OTEL}ENDPOINT`]: 'http://collector:4317/v1/logs',
        [`${OTEL}TIMEOUT`]: 'soon',
        [`${OTEL}COMPRESSION`]: 'zstd',
        [`${OTEL}INSECURE`]: '1',
      },
      { exportRules: 'deny pod=x', exportBatchBytes: '4MiB' },
    ),
    (error: Error) => {
      const { message } = error;
      const told = [
        'exportEndpoint (OTEL_EXPORTER_OTLP_ENDPOINT) is "http://collector:4317/v1/logs": must be',
        'exportTimeout (OTEL_EXPORTER_OTLP_TIMEOUT) is "soon": must be a duration',
        'exportCompression (OTEL_EXPORTER_OTLP_COMPRESSION) is "zstd": must be gzip | none',
        'exportInsecure (OTEL_EXPORTER_OTLP_INSECURE) is "1": must be true | false',
        'exportRules (--export-rules) is "deny pod=x": in the rule "deny pod=x"',
        'exportBatchBytes (--export-batch-bytes) is "4MiB": must be a size from 4KiB to 2MiB',
      ];
      deepEqual(
        told.filter((text) => !message.includes(text)),
        [],
      );
      return true;
    },
  );
});
