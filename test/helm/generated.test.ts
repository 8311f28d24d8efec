import { deepEqual, equal } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { OPTIONS } from '../../agent/config/options.ts';
import { values } from '../../helm/values.ts';
import { AGENT_BIN, ROOT } from '../support/paths.ts';

const CHART = join(ROOT, 'helm/vcml-agent');

/** The options that the pod itself decides. */
const OF_THE_POD = ['journalDir', 'mountBpffs', 'nodeName', 'telemetryAddress', 'probeAddress'];

test('values.yaml, its schema, the README, the alerts and the dashboard are up to date', () => {
  execFileSync(process.execPath, [join(ROOT, 'helm/generate.ts'), '--check'], { stdio: 'pipe' });
});

test('the chart has the version of the agent', () => {
  const { version, appVersion } = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'));
  const agent = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
  deepEqual([version, appVersion], [agent, agent]);
});

test('config accepts every option of the agent except those that the pod decides', () => {
  const keys = OPTIONS.map(({ key }) => key).filter((key) => !OF_THE_POD.includes(key));
  const { config } = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')).properties;
  deepEqual(Object.keys(config.properties), keys);
  equal(config.additionalProperties, false);
});

test('values.yaml has the declared defaults, and the agent accepts its config', () => {
  const given = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
  deepEqual(values.parse(given), given);
  checkConfig(stringify(given.config));
});

test('the agent accepts the defaults that values.yaml shows as its own', () => {
  const text = readFileSync(join(CHART, 'values.yaml'), 'utf8');
  const [block = ''] = /(?<=^config:\n)(?: {2}.*\n)+/m.exec(text) ?? [];
  const lines = block
    .split('\n')
    .filter((line) => /^ {2}(# )?[a-zA-Z]+:( \S+| "[^"]*")?$/.test(line));
  const config = parse(lines.map((line) => line.replace(/^ {2}(# )?/, '')).join('\n'));
  deepEqual(
    Object.keys(config),
    OPTIONS.map(({ key }) => key).filter((key) => !OF_THE_POD.includes(key)),
  );
  checkConfig(stringify(config));
});

/** Throws the message of the agent if it refuses a configuration file. */
function checkConfig(text: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'vcml-helm-'));
  try {
    const file = join(directory, 'vcml-agent.yaml');
    writeFileSync(file, text);
    const env = { ...process.env, POD_NAME: 'agent-1', POD_NAMESPACE: 'vcml-agent' };
    execFileSync(AGENT_BIN, ['config', 'check', '--config', file], { stdio: 'pipe', env });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
