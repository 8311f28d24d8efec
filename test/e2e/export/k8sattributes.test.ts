import { equal, ok } from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { freePort } from '../../support/free-ports.ts';
import type { JournalLine } from '../../support/journal/followed-journal.ts';
import { createExportBed } from '../../support/otlp/export-bed.ts';
import { type LogsData, linesOf } from '../../support/otlp/otlp.ts';
import { until } from '../../support/until.ts';
import { Cluster } from '../cluster.ts';
import { inNetwork, run } from '../network.ts';
import { NODE_NAME, RUNTIME_STATE } from '../place.ts';
import { container, podSpec } from '../pods.ts';
import { startRecorder } from '../recorder.ts';
import { startPipeline } from './pipeline.ts';

const cluster = await Cluster.start();
after(() => cluster[Symbol.asyncDispose]());

test('k8sattributes adds the metadata that the agent does not read to a pod’s records, and nothing to the host’s', async (t) => {
  const { dir } = await createExportBed(t);
  const [node, backend] = [await freePort(), await freePort()];
  const file = join(dir, 'out.jsonl');
  const output = { OTLP_LISTEN: `127.0.0.1:${backend}`, OUTPUT_FILE: file };
  await startPipeline(t, ['file'], output, inNetwork);
  const settings = {
    OTLP_LISTEN: `127.0.0.1:${node}`,
    QUEUE_DIR: join(dir, 'queue'),
    GATEWAY: `127.0.0.1:${backend}`,
    GATEWAY_INSECURE: 'true',
    K8S_NODE_NAME: NODE_NAME,
    K8S_AUTH_TYPE: 'kubeConfig',
  };
  await startPipeline(t, ['node', 'k8sattributes'], settings, inNetwork);
  await cluster.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop' },
    spec: {
      selector: { matchLabels: { app: 'shop' } },
      template: {
        metadata: { labels: { app: 'shop' } },
        spec: podSpec([container('main', ['sleep', '1000'])], { restartPolicy: 'Always' }),
      },
    },
  });
  await cluster.kubectl('wait', 'deployment/shop', '--for=condition=Available', '--timeout=180s');
  await using recorder = await startRecorder(
    '--metadata',
    'none',
    '--runtime-dirs',
    RUNTIME_STATE,
    '--export-endpoint',
    `http://127.0.0.1:${node}`,
  );
  await cluster.kubectl('exec', 'deployment/shop', '--', 'true', 'in-a-pod');
  await run(['/bin/true', 'on-the-host']);
  const received = await arrived(file, 'in-a-pod', 'on-the-host');
  const inPod = await recorder.marked('in-a-pod');
  equal(inPod.resource['k8s.deployment.name'], undefined);
  equal(received['in-a-pod']?.resource['k8s.deployment.name'], 'shop');
  ok(inPod.resource['k8s.pod.name'] !== undefined);
  equal(received['in-a-pod']?.resource['k8s.pod.name'], inPod.resource['k8s.pod.name']);
  equal(received['on-the-host']?.resource['k8s.pod.name'], undefined);
});

/** Waits until a collector's file has the records with these arguments. */
async function arrived(
  file: string,
  ...markers: readonly string[]
): Promise<Record<string, JournalLine>> {
  const found: Record<string, JournalLine> = {};
  await until(`${markers.join(' and ')} in the collector`, () => {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1).trimEnd();
    for (const request of whole === '' ? [] : whole.split('\n'))
      for (const line of linesOf(JSON.parse(request) as LogsData)) {
        const record = JSON.parse(line) as JournalLine;
        const [, marker = ''] = (record.attributes['process.command_args'] ?? []) as string[];
        if (markers.includes(marker)) found[marker] = record;
      }
    return markers.every((marker) => marker in found);
  });
  return found;
}
