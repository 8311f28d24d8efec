import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT } from '../../../agent/errors.ts';
import { AGENT_BIN } from '../../support/paths.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder();

/** Writes a file of credentials or options, and returns its path. */
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const OTEL = 'OTEL_EXPORTER_OTLP_';
const TO = 'exportEndpoint: https://collector:4317';
const UNINSTALLED = 'onExit: whenUninstalled';
const POD = { POD_NAME: 'agent-x2x', POD_NAMESPACE: 'vcml-agent' };
const token = file('token', 'secret\n');
const headers = file('headers', 'x-tenant: shop\n');
const twoLines = file('two-lines', 'one\ntwo\n');
const notPem = file('not.pem', 'hello\n');

/** A file of options, variables, and what is refused; nothing: the configuration is valid. */
const CASES: readonly (readonly [
  text: string,
  env: Record<string, string>,
  ...refused: RegExp[],
])[] = [
  ['', {}],
  ['no: map: here', {}, /vcml-agent.yaml:1/],
  ['ringSize: 3MiB\nsync: often', {}, /ringSize/, /sync/],
  ['', { VCML_AGENT_NO_SUCH: '1' }, /VCML_AGENT_NO_SUCH/],
  [UNINSTALLED, {}, /POD_NAME and POD_NAMESPACE/],
  [UNINSTALLED, { POD_NAME: 'agent-x2x' }, /POD_NAME and POD_NAMESPACE/],
  [UNINSTALLED, POD],
  [TO, { [`${OTEL}PROTOCOL`]: 'http/protobuf' }, /over gRPC only/],
  [TO, { [`${OTEL}LOGS_PROTOCOL`]: 'grpc', [`${OTEL}PROTOCOL`]: 'http/json' }],
  ['', { [`${OTEL}PROTOCOL`]: 'http/protobuf' }],
  [TO, { [`${OTEL}HEADERS`]: 'x-tenant' }, /OTEL_EXPORTER_OTLP_HEADERS/],
  [`${TO}\nexportCertificate: /nowhere/ca.crt`, {}, /ENOENT.*\/nowhere\/ca\.crt/],
  [`${TO}\nexportCertificate: ${notPem}`, {}, /no PEM certificate/],
  [`${TO}\nexportClientKey: ${notPem}`, {}, /needs its key, and a key its certificate/],
  [`${TO}\nexportTokenFile: ${twoLines}`, {}, /a token, on one line/],
  [`${TO}\nexportTokenFile: ${token}\nexportHeadersFile: ${headers}`, {}],
  [`${TO}\nexportHeadersFile: ${token}`, {}, /token: /],
  ['exportCertificate: /nowhere/ca.crt', {}],
  [
    `${TO}\n${UNINSTALLED}\nexportTokenFile: /nowhere/token`,
    { [`${OTEL}PROTOCOL`]: 'http/json', [`${OTEL}HEADERS`]: 'x-tenant' },
    /POD_NAME/,
    /over gRPC only/,
    /OTEL_EXPORTER_OTLP_HEADERS/,
    /\/nowhere\/token/,
  ],
];

const RUN = ['run', '--journal-dir', join(folder, 'journal'), '--print', 'none'];

/** Runs a command where no hook can be attached; the exit code, and the message that explains it. */
function outcome(command: readonly string[], text: string, env: Record<string, string>) {
  const pins = join(folder, 'no-bpffs', 'pins');
  mkdirSync(join(folder, 'no-bpffs'), { recursive: true });
  const flags = ['--config', file('vcml-agent.yaml', text), '--pin-dir', pins];
  const { PATH = '' } = process.env;
  const { status, stdout, stderr } = spawnSync(AGENT_BIN, [...command, ...flags], {
    encoding: 'utf8',
    env: { PATH, ...env },
    timeout: 60_000,
  });
  equal(stdout, '');
  const at = stderr.indexOf('vcml-agent: ');
  const [log, message] = at < 0 ? [stderr, ''] : [stderr.slice(0, at), stderr.slice(at)];
  const warnings = log.split('\n').filter((line) => line.includes('"level":"warn"'));
  return { status, message, warnings: warnings.map((line) => line.replace(/"time":"[^"]+",/, '')) };
}

test('config check and run warn of an export rule that a pod can evade, and accept it', () => {
  const rules = ['deny executable=/usr/bin/runc', 'deny origin=host executable=/usr/bin/runc'];
  const text = `${TO}\nexportRules: ${JSON.stringify(rules)}`;
  const check = outcome(['config', 'check'], text, {});
  equal(check.status, 0, check.message);
  equal(check.warnings.length, 1);
  match(
    check.warnings[0] ?? '',
    /"export\.rule_evadable","rule":"deny executable=\/usr\/bin\/runc"/,
  );
  match(check.warnings[0] ?? '', /origin=host/);
  deepEqual(outcome(RUN, text, {}).warnings, check.warnings);
});

for (const [text, env, ...refused] of CASES)
  test(`config check and run agree on ${JSON.stringify(text)} with ${JSON.stringify(env)}`, () => {
    const check = outcome(['config', 'check'], text, env);
    const run = outcome(RUN, text, env);
    if (refused.length === 0) {
      deepEqual(check, { status: 0, message: '', warnings: [] });
      // It got as far as the hook, which has no bpffs here and, without a build, no addon.
      ok([EXIT.unsupported, EXIT.permission].includes(run.status as 69 | 77), run.message);
      return;
    }
    equal(check.status, EXIT.configuration, check.message);
    for (const one of refused)
      notEqual(check.message.search(one), -1, `${one} in ${check.message}`);
    deepEqual(run, check);
  });
