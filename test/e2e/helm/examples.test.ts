import { deepEqual } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import { parseAllDocuments, stringify } from 'yaml';
import { RENDERED } from '../../../helm/render.ts';
import { ROOT } from '../../support/paths.ts';
import { Cluster, type Manifest } from '../cluster.ts';
import { TEST_IMAGE } from '../images.ts';
import { run } from '../network.ts';
import { DIR, RUNTIME_STATE } from '../place.ts';

const BIN = process.env.KUBE_BIN ?? join(ROOT, 'build/e2e/bin');
const NAMESPACE = 'vcml-agent';
/** The API groups of operators that this cluster lacks. */
const ABSENT = ['monitoring.coreos.com'];

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());
const namespace = join(ROOT, 'deploy/manifests/namespace.yaml');
await cluster.kubectl('apply', `--filename=${namespace}`);

for (const { file } of RENDERED)
  test(`the API server accepts every field of ${relative(ROOT, file)}`, async () => {
    const objects = parseAllDocuments(readFileSync(file, 'utf8')).map((document) =>
      document.toJS(),
    );
    const known = objects.filter(
      (one) => one !== null && !ABSENT.some((group) => one.apiVersion.startsWith(group)),
    );
    // A pod, unlike a DaemonSet, is refused while its account does not exist.
    await cluster.apply(...known.filter(({ kind }) => kind === 'ServiceAccount'));
    const text = known.map((one) => stringify(one)).join('---\n');
    await run(['kubectl', 'apply', '--dry-run=server', '--validate=strict', '--filename=-'], text);
  });

test('the pod of the export example contains the files that its configuration names', async () => {
  const keys = ['ca.crt', 'tls.crt', 'tls.key'].map((key) => `--from-literal=${key}=${key}`);
  const create = [`--namespace=${NAMESPACE}`, 'create', 'secret', 'generic'];
  await cluster.kubectl(...create, 'otlp', ...keys);
  await cluster.kubectl(...create, 'otlp-token', '--from-literal=token=token');
  const objects = exportExample();
  const find = (kind: string) => objects.find((one) => one.kind === kind);
  const { spec } = (find('DaemonSet') as unknown as DaemonSet).spec.template;
  const config = '/etc/vcml-agent/vcml-agent.yaml';
  const command = `set -e; for file in $(grep -o '/etc/vcml-agent/secrets/.*' ${config}); do
    cat "$file"; echo; done`;
  const once: Manifest = {
    ...spec.containers[0],
    image: TEST_IMAGE,
    command: ['sh', '-c', command],
    args: [],
    livenessProbe: undefined,
    readinessProbe: undefined,
  };
  await cluster.apply(find('ConfigMap') ?? {}, find('ServiceAccount') ?? {}, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'files', namespace: NAMESPACE },
    spec: { ...spec, restartPolicy: 'Never', containers: [once] },
  });
  const named = ['wait', 'pod', 'files', `--namespace=${NAMESPACE}`];
  await cluster.kubectl(...named, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=180s');
  const log = await cluster.kubectl('logs', 'files', `--namespace=${NAMESPACE}`);
  deepEqual(log.trim().split('\n').toSorted(), ['ca.crt', 'tls.crt', 'tls.key', 'token']);
});

interface DaemonSet {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly Manifest[] } };
  };
}

/** Renders the example for the folders of this cluster. */
function exportExample(): Manifest[] {
  const chart = join(ROOT, 'helm/vcml-agent');
  const places = [
    `hostPaths.journal=${DIR}/node`,
    `runtime.dir=${RUNTIME_STATE}/io.containerd.runtime.v2.task`,
  ];
  const values = [`--values=${chart}/examples/export/values.yaml`, `--set=${places}`];
  const args = ['template', 'vcml-agent', chart, `--namespace=${NAMESPACE}`, ...values];
  const text = execFileSync(join(BIN, 'helm'), args, { encoding: 'utf8' });
  return parseAllDocuments(text).flatMap((document) => document.toJS() ?? []);
}
