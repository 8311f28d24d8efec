import { equal, match } from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { freePort } from '../../support/free-ports.ts';
import { execLines, sameLines } from '../../support/journal/lines.ts';
import { createExportBed } from '../../support/otlp/export-bed.ts';
import { provesHistory } from '../../support/otlp/history.ts';
import { type LogsData, linesOf } from '../../support/otlp/otlp.ts';
import { until } from '../../support/until.ts';
import { createRealCollector, NO_COLLECTOR } from './collector.ts';
import { holds, startPipeline, validate } from './pipeline.ts';

const options = { skip: NO_COLLECTOR };

for (const names of [
  ['node'],
  ['gateway'],
  ['clickhouse'],
  ['clickhouse', 'traces'],
  ['s3'],
  ['kubernetes-audit'],
  ['loki'],
  ['file'],
  ['node', 'k8sattributes'],
])
  test(`the collector accepts ${names.join(' with ')}`, options, async (t) => {
    const { dir } = await createExportBed(t);
    validate(names, { K8S_NODE_NAME: 'node-1', QUEUE_DIR: join(dir, 'queue') });
  });

test(
  'records pass from node to gateway to backend, and outlive a gateway that holds them',
  options,
  async (t) => {
    const bed = await createExportBed(t);
    const backend = await createRealCollector(t, bed.dir);
    const [node, gateway] = [await freePort(), await freePort()];
    const queue = join(bed.dir, 'gateway');
    const gatewaySettings = {
      OTLP_LISTEN: `127.0.0.1:${gateway}`,
      QUEUE_DIR: queue,
      BACKEND: `127.0.0.1:${backend.port}`,
      BACKEND_INSECURE: 'true',
    };
    const first = await startPipeline(t, ['gateway'], gatewaySettings);
    await startPipeline(t, ['node'], {
      OTLP_LISTEN: `127.0.0.1:${node}`,
      QUEUE_DIR: join(bed.dir, 'node'),
      GATEWAY: `dns:///localhost:${gateway}`,
      GATEWAY_INSECURE: 'true',
    });
    const lines = execLines(0, 500);
    bed.start(node);
    await bed.write(...lines);
    await until('the gateway has them on disk', () => holds(queue, '/usr/bin/p499'));
    await first.stop('SIGKILL');
    await startPipeline(t, ['gateway'], gatewaySettings);
    await backend.start();
    await backend.written('"/usr/bin/p499"');
    // Delivery is at least once: the kill may have come before the acknowledgement to the node.
    provesHistory({ received: backend.lines(), journal: lines });
  },
);

test('a plain file receives every record', options, async (t) => {
  const bed = await createExportBed(t);
  const port = await freePort();
  const file = join(bed.dir, 'out.jsonl');
  await startPipeline(t, ['file'], { OTLP_LISTEN: `127.0.0.1:${port}`, OUTPUT_FILE: file });
  const lines = execLines(0, 500);
  bed.start(port);
  await bed.write(...lines);
  await until('all are written', () => {
    return existsSync(file) && readFileSync(file, 'utf8').includes('"/usr/bin/p499"');
  });
  const requests = readFileSync(file, 'utf8').trimEnd().split('\n');
  sameLines(
    requests.flatMap((line) => linesOf(JSON.parse(line) as LogsData)),
    lines,
  );
});

test('Loki’s endpoint receives OTLP, also after it has refused', options, async (t) => {
  const bed = await createExportBed(t);
  const taken: Buffer[] = [];
  const paths = new Set<string>();
  let refusals = 0;
  const loki = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    paths.add(`${request.method} ${request.url} ${request.headers['content-type']}`);
    if (refusals < 2) {
      refusals++;
      response.writeHead(503).end();
      return;
    }
    const body = Buffer.concat(parts);
    taken.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(loki, 'listening');
  t.after(() => {
    loki.closeAllConnections();
    loki.close();
  });
  const port = await freePort();
  await startPipeline(t, ['loki'], {
    OTLP_LISTEN: `127.0.0.1:${port}`,
    LOKI: `http://127.0.0.1:${(loki.address() as AddressInfo).port}/otlp/v1/logs`,
  });
  bed.start(port);
  await bed.write(...execLines(0, 100));
  await until('the last record has come', () =>
    taken.some((body) => body.includes('/usr/bin/p99')),
  );
  equal(refusals, 2);
  match([...paths].join(), /^POST \/otlp\/v1\/logs application\/x-protobuf$/);
});
