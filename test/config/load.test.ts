import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { type Given, loadConfig } from '../../agent/config/load.ts';
import { AgentError } from '../../agent/errors.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();

let files = 0;

function fileWith(text: string): string {
  const file = join(folder, `${files++}.yaml`);
  writeFileSync(file, text);
  return file;
}

async function load({ flags = {}, env = {}, file }: Partial<Given> = {}) {
  return loadConfig({ flags, env, file });
}

/** The problems that are named, one a line. */
async function problemsOf(given: Partial<Given>): Promise<string> {
  try {
    await load(given);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    deepEqual([error.code, error.exitCode], ['CONFIGURATION_INVALID', 78]);
    return error.message;
  }
  throw new Error('nothing was refused');
}

test('the defaults apply if nothing is given', async () => {
  const { config, origins } = await load();
  equal(config.journalDir, '/var/lib/vcml-agent/journal');
  equal(config.pinDir, '/sys/fs/bpf/vcml-agent');
  equal(config.onExit, 'keep');
  equal(config.ringSize, 32 * 2 ** 20);
  equal(config.quietAfter, 15 * 60_000);
  equal(config.metadata, 'none');
  deepEqual(origins, {});
});

test('a flag overrides a variable, and a variable overrides the file', async () => {
  const file = fileWith('sync: never\nonExit: detach\nlogLevel: warn\n');
  const env = { VCML_AGENT_SYNC: 'always', VCML_AGENT_ON_EXIT: 'keep' };
  const { config, origins } = await load({ flags: { sync: 'interval' }, env, file });
  deepEqual([config.sync, config.onExit, config.logLevel], ['interval', 'keep', 'warn']);
  deepEqual(origins, { sync: '--sync', onExit: 'VCML_AGENT_ON_EXIT', logLevel: `${file}:3` });
});

test('VCML_AGENT_CONFIG names the file, and --config overrides it', async () => {
  const env = { VCML_AGENT_CONFIG: fileWith('logLevel: warn\n') };
  equal((await load({ env })).config.logLevel, 'warn');
  equal((await load({ env, file: fileWith('logLevel: error\n') })).config.logLevel, 'error');
});

test('an empty variable counts as not set, an empty file as no options', async () => {
  const { config } = await load({ env: { VCML_AGENT_SYNC: '' }, file: fileWith('# nothing\n') });
  equal(config.sync, 'interval');
});

test('variables that Kubernetes sets for a Service are ignored', async () => {
  await load({
    env: {
      VCML_AGENT_SERVICE_HOST: '10.0.0.1',
      VCML_AGENT_SERVICE_PORT_METRICS: '9090',
      VCML_AGENT_PORT: 'tcp://10.0.0.1:9090',
      VCML_AGENT_PORT_9090_TCP_ADDR: '10.0.0.1',
    },
  });
});

const good: [key: string, given: unknown, value: unknown][] = [
  ['drainInterval', '500ms', 500],
  ['waitForHook', '0s', 0],
  ['waitForHook', '30s', 30_000],
  ['quietAfter', '15m', 900_000],
  ['quietAfter', '0', 0],
  ['quietAfter', 0, 0],
  ['quietAfter', '0s', 0],
  ['quietAfter', '1s', 1000],
  ['segmentMaxAge', '24h', 86_400_000],
  ['ringSize', '1MiB', 2 ** 20],
  ['ringSize', 1_048_576, 2 ** 20],
  ['ringSize', '1GiB', 2 ** 30],
  ['argumentsMaxBytes', '0', 0],
  ['argumentsMaxBytes', '32768', 32_768],
  ['tableEntries', '4096', 4096],
  ['compressionLevel', '-2', -2],
  ['compressionLevel', 1, 1],
  ['print', 'jsonl', 'jsonl'],
  ['nodeName', 'node-1.example', 'node-1.example'],
  ['metadata', 'apiserver', 'apiserver'],
  ['metadataWait', '0', 0],
  ['kubeconfig', '/etc/kubeconfig', '/etc/kubeconfig'],
  ['kubeletEndpoint', 'https://node-1:10250/', 'https://node-1:10250'],
  ['kubeletEndpoint', 'unix:///run/pods-api.sock', 'unix:///run/pods-api.sock'],
  ['podLabels', 'team app.kubernetes.io/*', ['team', 'app.kubernetes.io/*']],
  ['podLabels', ['team'], ['team']],
  ['podAnnotations', '', []],
  ['runtimeDirs', '/a /b', ['/a', '/b']],
  ['execRequestVariables', 'REQUEST_ID _b2', ['REQUEST_ID', '_b2']],
  ['execRequestVariables', '', []],
  ['execRequestVariables', [], []],
  ['environment', ['CI_JOB', 'PATH'], ['CI_JOB', 'PATH']],
  ['traceContext', 'environment', 'environment'],
];

for (const [key, given, value] of good)
  test(`${key} accepts ${JSON.stringify(given)}`, async () => {
    const { config } = await load({ flags: { [key]: given } });
    deepEqual(config[key as keyof typeof config], value);
  });

/** A value in the file, and the text that counts. */
const texts: [yaml: string, text: string][] = [
  ['007', '007'],
  ['012345678901', '012345678901'],
  ['1.10', '1.10'],
  ['0x1F', '0x1F'],
  ['1e3', '1e3'],
  ['+5', '+5'],
  ['.inf', '.inf'],
  ['12345678901234567890', '12345678901234567890'],
  ['true', 'true'],
  ['False', 'False'],
  ['007 # a comment', '007'],
  ['"007"', '007'],
  ["'1.10'", '1.10'],
  ['!!str 1.10', '1.10'],
];

for (const [yaml, text] of texts)
  test(`a name that the file writes as ${yaml} is ${text}`, async () => {
    const file = fileWith(`nodeName: ${yaml}\nclusterName: &it ${yaml}\nkubeconfig: *it\n`);
    const { config } = await load({ file });
    deepEqual([config.nodeName, config.clusterName], [text, text]);
    equal(config.kubeconfig, resolve(text));
  });

test('texts in a list stand as in the file', async () => {
  const file = fileWith(
    'podLabels: [007, 1.10, "5"]\nruntimeDirs:\n  - /a\nredactNames: [no, on]\n',
  );
  const { config } = await load({ file });
  deepEqual(config.podLabels, ['007', '1.10', '5']);
  deepEqual([config.runtimeDirs, config.redactNames], [['/a'], ['no', 'on']]);
});

test('numbers in the file may have every form of YAML, and words such as true are choices', async () => {
  const text = 'tableEntries: 0x1000\nringSize: 1048576\nquietAfter: 0\nmountBpffs: false\n';
  const { config } = await load({ file: fileWith(text) });
  deepEqual([config.tableEntries, config.ringSize, config.quietAfter], [4096, 1048576, 0]);
  equal(config.mountBpffs, 'false');
});

const bad: [key: string, given: unknown, right: RegExp][] = [
  ['drainInterval', '', /a duration from 1ms/],
  ['drainInterval', '5 parsecs', /a duration/],
  ['drainInterval', '-5s', /a duration/],
  ['drainInterval', '1.5s', /a duration/],
  ['drainInterval', '1S', /a duration/],
  ['drainInterval', '50', /a duration .*; 50s or 50ms\?$/],
  ['drainInterval', 50, /a duration .*; 50s or 50ms\?$/],
  ['drainInterval', '0', /a duration from 1ms to 10s, in ms, s, m or h$/],
  ['quietAfter', '30', /0, or a duration from 1s to 24h.*; 30s or 30ms\?$/],
  ['quietAfter', '999ms', /0, or a duration from 1s/],
  ['waitForHook', '999999999999999h', /a duration from 0s to 24h/],
  ['ringSize', '3MiB', /a power of two from 1MiB to 1GiB/],
  ['ringSize', '512KiB', /a power of two/],
  ['ringSize', '2GiB', /a power of two/],
  ['ringSize', '32MB', /a power of two/],
  ['ringSize', Number.NaN, /a power of two/],
  ['argumentsMaxBytes', '32769', /a size from 0B to 32KiB/],
  ['tableEntries', '-1', /a whole number from 0/],
  ['tableEntries', '1e3', /a whole number/],
  ['tableEntries', 1.5, /a whole number/],
  ['tableEntries', true, /a whole number/],
  ['compressionLevel', '-1', /a whole number from -7 to 19, but not -1 or 0$/],
  ['compressionLevel', 0, /a whole number from -7 to 19, but not -1 or 0$/],
  ['sync', 'Always', /interval \| always \| never/],
  ['sync', null, /interval \| always \| never/],
  ['print', ['text'], /text \| jsonl \| none/],
  ['metadata', 'file', /must be none \| apiserver \| kubelet/],
  ['metadataWait', '11s', /0, or a duration from 1ms to 10s/],
  ['kubeletEndpoint', 'http://127.0.0.1:10255', /an https URL/],
  ['kubeletEndpoint', 'https://127.0.0.1:10250/pods', /an https URL/],
  ['kubeletEndpoint', 'unix:pods-api.sock', /an https URL .*, or unix:\/\/\/PATH/],
  ['podLabels', 'team app{kubernetes}', /app\{kubernetes\} is neither a key nor a glob/],
  ['podLabels', 7, /keys, or globs/],
  ['runtimeDirs', 'run/containerd', /run\/containerd is not an absolute path/],
  ['clusterName', 'a b', /a name/],
  ['journalDir', '', /the path of a folder/],
  ['journalDir', '/a\0b', /the path of a folder/],
  ['nodeName', '', /a name of printable characters/],
  ['nodeName', 'a\u001b[31mb', /a name of printable characters/],
  ['nodeName', 'a\u202eb', /a name of printable characters/],
  ['execRequestVariables', 'A=b', /"A=b" is not the name of an environment variable/],
  ['environment', 'A-B', /"A-B" is not the name of an environment variable/],
  ['traceContext', 'header', /must be none \| environment/],
  ['execRequestVariables', ['A B'], /"A B" is not the name/],
  ['execRequestVariables', '7A', /"7A" is not the name/],
  ['execRequestVariables', [''], /"" is not the name/],
  ['redactNames', 'a=b', /"a=b" cannot be redacted by name; a name has up to 64/],
  ['redactPatterns', '(a+)+', /"\(a\+\)\+" cannot be redacted safely: .* is not a character/],
];

for (const [key, given, right] of bad)
  test(`${key} refuses ${JSON.stringify(given)} and says what is allowed`, async () => {
    const problem = await problemsOf({ flags: { [key]: given } });
    match(problem, right);
    match(problem, new RegExp(`\\b${key} \\(--[a-z-]+\\) is `));
  });

test('every problem is listed at once, with its key, value and origin', async () => {
  const file = fileWith('ringSize: 3MiB\nringsize: 1\n');
  const flags = { sync: 'often' };
  const env = { VCML_AGENT_DRAIN_INTERVAL: '1x', VCML_AGENT_NOPE: '1' };
  const problems = (await problemsOf({ flags, env, file })).split('\n');
  equal(problems.length, 6);
  const all = problems.join('\n');
  match(all, new RegExp(`ringSize \\(${file}:1\\) is "3MiB": must be a power of two`));
  match(all, new RegExp(`ringsize \\(${file}:2\\): there is no such option`));
  match(all, /sync \(--sync\) is "often": must be interval/);
  match(all, /drainInterval \(VCML_AGENT_DRAIN_INTERVAL\) is "1x": must be a duration/);
  match(all, /VCML_AGENT_NOPE: there is no such option/);
});

test('relations between options are checked even if other options are wrong', async () => {
  const flags = { journalMaxBytes: '1MiB', segmentMaxBytes: '1MiB', sync: 'often' };
  const problems = await problemsOf({ flags });
  match(problems, /journalMaxBytes \(--journal-max-bytes\) is "1MiB": must be at least four/);
  match(problems, /; segmentMaxBytes \(--segment-max-bytes\) is "1MiB"$/m);
  match(problems, /sync/);
});

test('the default of one option counts in a relation with another', async () => {
  match(await problemsOf({ flags: { journalMaxBytes: '1MiB' } }), /four times segmentMaxBytes/);
  match(
    await problemsOf({ flags: { journalMaxBytes: '255MiB' } }),
    /is "255MiB": .*; segmentMaxBytes is 64MiB by default$/,
  );
  equal((await load({ flags: { journalMaxBytes: '256MiB' } })).config.journalMaxBytes, 2 ** 28);
});

test('quietAfter must leave a reader time to start', async () => {
  const env = { VCML_AGENT_DRAIN_INTERVAL: '1s' };
  match(
    await problemsOf({ flags: { quietAfter: '9s' }, env }),
    /quietAfter \(--quiet-after\) is "9s": must be 0, or .*; drainInterval \(VCML_\w+\) is "1s"$/,
  );
  for (const quietAfter of ['0', '10s'])
    equal((await load({ flags: { quietAfter }, env })).config.drainInterval, 1000);
});

test('a collection as a key is one problem with its line, and Node prints no warning', async () => {
  const warnings: Error[] = [];
  const hear = (warning: Error) => warnings.push(warning);
  process.on('warning', hear);
  const file = fileWith('sync: never\n? [a, b]\n: 1\n? { c: 1 }\n: 2\n');
  const problems = (await problemsOf({ file })).split('\n  ').slice(1);
  const expected = [2, 4].map((line) => `${file}:${line}: a key must be the name of an option`);
  deepEqual(problems, expected);
  match(await problemsOf({ file: fileWith('sync: { [a]: 1 }') }), /sync \(.*\) is .*: must be/);
  match(await problemsOf({ file: fileWith('sync: !odd never') }), /\.yaml:1: Unresolved tag/);
  await new Promise(setImmediate);
  process.off('warning', hear);
  deepEqual(warnings, []);
});

test('a file that cannot be read does not hide other problems', async () => {
  const problems = await problemsOf({ file: fileWith('sync: ['), flags: { onExit: 'stay' } });
  match(problems, /\.yaml:1: Flow sequence/);
  match(problems, /onExit \(--on-exit\) is "stay"/);
});

test('a file that does not exist, is not YAML, is not a map, or has a key twice is refused', async () => {
  match(await problemsOf({ file: join(folder, 'absent.yaml') }), /absent\.yaml: ENOENT/);
  match(await problemsOf({ file: fileWith('\nsync: [') }), /\.yaml:2: Flow sequence/);
  match(await problemsOf({ file: fileWith('- sync') }), /must be a map of options/);
  match(await problemsOf({ file: fileWith('sync: never\nsync: always\n') }), /\.yaml:2: .*unique/);
});

test('the keys that every JavaScript object has are not options', async () => {
  const file = fileWith('constructor: 1\n__proto__: 1\n');
  const problems = await problemsOf({ file });
  match(problems, /constructor \(.*\): there is no such option/);
  match(problems, /__proto__ \(.*\): there is no such option/);
  const inherited = await problemsOf({ file: fileWith('__proto__: {ringSize: 1MiB}\n') });
  match(inherited, /__proto__ \(.*\): there is no such option/);
  await rejects(load({ file: fileWith('toString: 1\n') }), { code: 'CONFIGURATION_INVALID' });
});
