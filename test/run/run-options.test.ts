import { deepEqual, equal, rejects } from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../agent/config/load.ts';
import { loadRunOptions, RECORD_OPTIONS, saveRunOptions } from '../../agent/run/run-options.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FLAGS = {
  nodeName: 'node-7',
  redactNames: 'gate door-code',
  arguments: 'full',
  journalMaxBytes: '5GiB',
  segmentMaxAge: '90s',
  compressionLevel: '-7',
  podLabels: '',
};
const VARIABLES = { OTEL_RESOURCE_ATTRIBUTES: 'team=a', PATH: '/bin' };

async function configIn(journalDir: string) {
  const { config } = await loadConfig({
    flags: { ...FLAGS, journalDir },
    env: {},
    file: undefined,
  });
  return config;
}

test('the options of a run are the same when they are loaded, and only those of records are kept', async (t) => {
  const dir = temporaryFolder(t);
  const config = await configIn(dir);
  await saveRunOptions(config, VARIABLES, '77');
  const kept = loadRunOptions(dir, '77');
  deepEqual(Object.keys(kept?.options ?? {}).sort(), [...RECORD_OPTIONS].sort());
  deepEqual(kept?.variables, { OTEL_RESOURCE_ATTRIBUTES: 'team=a' });
  const again = await loadConfig({
    flags: { journalDir: dir },
    env: { VCML_AGENT_NODE_NAME: 'given' },
    file: undefined,
    kept: { options: kept?.options ?? {}, origin: 'here' },
  });
  for (const key of RECORD_OPTIONS)
    deepEqual(again.config[key], key === 'nodeName' ? 'given' : config[key], key);
  deepEqual([again.origins.redactNames, again.origins.nodeName], ['here', 'VCML_AGENT_NODE_NAME']);
});

test('only the owner can read the file', async (t) => {
  const dir = temporaryFolder(t);
  await saveRunOptions(await configIn(dir), {}, '77');
  equal(statSync(join(dir, 'run-options.json')).mode & 0o777, 0o600);
  deepEqual(readdirSync(dir), ['run-options.json']);
});

test('options of another hook, of a damaged file or of none are not known', async (t) => {
  const dir = temporaryFolder(t);
  equal(loadRunOptions(dir, '77'), undefined);
  await saveRunOptions(await configIn(dir), {}, '77');
  equal(loadRunOptions(dir, '78'), undefined);
  for (const text of ['', '{', 'null', '[]', '{"hookId":"77"}', '{"hookId":"77","options":[]}']) {
    writeFileSync(join(dir, 'run-options.json'), text);
    equal(loadRunOptions(dir, '77'), undefined, text);
  }
});

test('options that cannot be saved leave none of an earlier run', async (t) => {
  const dir = temporaryFolder(t);
  const config = await configIn(dir);
  await saveRunOptions(config, {}, '77');
  mkdirSync(join(dir, 'run-options.json.tmp', 'inside'), { recursive: true });
  await rejects(saveRunOptions(config, {}, '77'));
  equal(loadRunOptions(dir, '77'), undefined);
});
