import { deepEqual, equal, match } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { Finding } from '../../../agent/commands/check/finding.ts';
import { type Agent, startAgent } from '../../support/agent.ts';
import { ApiServer, answering, apiPod } from '../../support/api-server.ts';
import { startCollector } from '../../support/otlp/collector.ts';
import { AGENT_BIN } from '../../support/paths.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder();

interface Checked {
  readonly code: number;
  readonly stdout: string;
}

/** Runs `status --check`; `wrapper` is what executes it. */
function check(
  where: Pick<Agent, 'journalDir' | 'pinDir'>,
  { env = {}, args = [], wrapper = [] }: Given = {},
): Promise<Checked> {
  const flags = ['--journal-dir', where.journalDir, '--pin-dir', where.pinDir];
  const [program = '', ...rest] = [...wrapper, AGENT_BIN, 'status', '--check', ...flags, ...args];
  return new Promise((resolve) =>
    execFile(program, rest, { env: { ...process.env, ...env } }, (error, stdout) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout }),
    ),
  );
}

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly wrapper?: readonly string[];
}

async function findings(...of: Parameters<typeof check>): Promise<Record<string, Finding>> {
  const [where, given = {}] = of;
  const { stdout } = await check(where, { ...given, args: ['--output', 'json'] });
  const found: Finding[] = JSON.parse(stdout);
  return Object.fromEntries(found.map((one) => [one.name, one]));
}

const NOWHERE = {
  journalDir: join(folder, 'journal'),
  pinDir: join(folder, 'no-bpffs', 'pins'),
};

test('beside an agent that records and exports, no check fails', async (t) => {
  const agent = await startAgent();
  t.after(() => agent.close());
  const collector = await startCollector();
  t.after(() => collector.kill());
  const env = { VCML_AGENT_EXPORT_ENDPOINT: `http://127.0.0.1:${collector.port}` };
  const { code, stdout } = await check(agent, { env });
  const lines = stdout.trimEnd().split('\n');
  deepEqual(
    lines.map((line) => line.slice(8, 21).trim()),
    [
      'configuration',
      'node',
      'kernel',
      'BTF',
      'bpffs',
      'capabilities',
      'processes',
      'hook',
      'cgroups',
      'runtime',
      'API',
      'collector',
    ],
  );
  equal(
    lines.find((line) => line.startsWith('failed')),
    undefined,
  );
  equal(code, 0);
  match(stdout, /^ok {6}hook .*: recording$/m);
  match(stdout, /^ok {6}collector .* accepts requests$/m);
  deepEqual(collector.lines, []);
  equal(collector.calls.length, 1);
});

test('without a bpffs and an agent it names both, with what to do, and fails', async () => {
  mkdirSync(join(folder, 'no-bpffs'));
  const { code, stdout } = await check(NOWHERE);
  equal(code, 1);
  match(stdout, /^failed {2}bpffs .*none is mounted at .*; as root on the node: mount -t bpf /m);
  match(stdout, /^failed {2}hook .*nothing records; start the agent/m);
  match(stdout, /^off {5}API .*metadata is none/m);
  match(stdout, /^off {5}collector .*exportEndpoint is not set/m);
});

test('capabilities that are missing are named', async () => {
  const drop = (names: string) => ['setpriv', `--bounding-set=${names}`, `--inh-caps=${names}`];
  const all = { wrapper: drop('-bpf,-perfmon,-sys_admin') };
  const { capabilities: none } = await findings(NOWHERE, all);
  equal(none?.result, 'failed');
  equal(none?.found, 'BPF and PERFMON missing');
  const { capabilities: fewer, processes } = await findings(NOWHERE, {
    wrapper: drop('-sys_admin,-sys_ptrace'),
  });
  equal(fewer?.result, 'ok');
  equal(processes?.result, 'ok');
  match(`${processes?.found}`, /gaps do not name executables/);
  match(`${processes?.remedy}`, /CAP_SYS_PTRACE/);
});

test('a collector that denies, or is not there, is named with what it says', async (t) => {
  const denying = await startCollector({
    answer: () => ({ kind: 'fail', code: status.UNAUTHENTICATED, details: 'no \u001btoken' }),
  });
  t.after(() => denying.kill());
  const ask = (port: number) =>
    check(NOWHERE, { env: { VCML_AGENT_EXPORT_ENDPOINT: `http://127.0.0.1:${port}` } });
  match(
    (await ask(denying.port)).stdout,
    /^failed {2}collector .*UNAUTHENTICATED: no \\x1btoken; check exportTokenFile/m,
  );
  match((await ask(1)).stdout, /^failed {2}collector .*UNAVAILABLE: .*ECONNREFUSED/m);
});

test('what a run would refuse is named once', async () => {
  const { configuration, collector } = await findings(NOWHERE, {
    env: {
      VCML_AGENT_EXPORT_ENDPOINT: 'https://127.0.0.1:1',
      VCML_AGENT_EXPORT_CERTIFICATE: '/nowhere/ca.pem',
    },
  });
  equal(configuration?.result, 'failed');
  match(`${configuration?.found}`, /\/nowhere\/ca\.pem: ENOENT/);
  deepEqual(
    [collector?.result, collector?.found],
    ['off', 'https://127.0.0.1:1 is not asked before a run accepts the configuration'],
  );
});

test('what has nothing to do with the collector does not stand beside it', async () => {
  const { configuration, collector } = await findings(NOWHERE, {
    env: {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      VCML_AGENT_ON_EXIT: 'whenUninstalled',
      VCML_AGENT_EXPORT_ENDPOINT: 'http://127.0.0.1:1',
    },
  });
  equal(configuration?.result, 'failed');
  match(`${configuration?.found}`, /POD_NAME/);
  equal(collector?.result, 'off');
});

test('the API server is asked for the pods of this node', async (t) => {
  const server = new ApiServer(answering([apiPod('uid-1', 'one'), apiPod('uid-2', 'two')]));
  await server.start();
  t.after(() => server.close());
  const env = {
    VCML_AGENT_METADATA: 'apiserver',
    VCML_AGENT_KUBECONFIG: server.kubeconfig,
    VCML_AGENT_NODE_NAME: 'node-1',
  };
  const { API: answers } = await findings(NOWHERE, { env });
  deepEqual([answers?.result, answers?.found], ['ok', 'apiserver: 2 pods of node-1']);
  server.answer = (_, response) => {
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ kind: 'Status', code: 403, message: 'pods is forbidden' }));
  };
  const { API: refuses } = await findings(NOWHERE, { env });
  equal(refuses?.result, 'failed');
  match(`${refuses?.found}`, /HTTP 403: pods is forbidden/);
  match(`${refuses?.remedy}`, /RBAC/);
});

test('a folder in which no runtime keeps anything is none', async () => {
  const runtime = join(folder, 'runtime');
  mkdirSync(join(runtime, 'io.containerd.runtime.v2.task'), { recursive: true });
  const env = { VCML_AGENT_METADATA: 'apiserver', VCML_AGENT_RUNTIME_DIRS: runtime };
  const { runtime: empty } = await findings(NOWHERE, { env });
  equal(empty?.result, 'failed');
  match(`${empty?.remedy}`, /runtime\.type/);
  const namespace = join(runtime, 'io.containerd.runtime.v2.task', 'k8s.io');
  for (const id of ['a', 'b']) mkdirSync(join(namespace, id.repeat(64)), { recursive: true });
  const { runtime: used } = await findings(NOWHERE, { env });
  deepEqual([used?.result, used?.found], ['ok', `${runtime}; 2 containers run`]);
});
