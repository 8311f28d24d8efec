import { equal, match } from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createExportBed, until } from '../../export/bed.ts';
import { execLines, sameLines } from '../../export/lines.ts';
import { type LogsData, linesOf } from '../../export/otlp.ts';
import { createRealCollector, NO_COLLECTOR, OTELCOL } from './collector.ts';

const options = { skip: NO_COLLECTOR };
const FOLDER = 'deploy/collector';

for (const names of [
  ...[['node'], ['gateway'], ['clickhouse'], ['loki'], ['file']],
  ...[['node', 'k8sattributes']],
])
  test(`the collector finds ${names.join(' with ')} valid`, options, (t) => {
    const { dir } = createExportBed(t);
    const env = { ...process.env, K8S_NODE_NAME: 'node-1', QUEUE_DIR: join(dir, 'queue') };
    execFileSync(OTELCOL ?? '', ['validate', ...configs(names)], { env, stdio: 'pipe' });
  });

test('node to gateway to backend: what gateways hold outlives them', options, async (t) => {
  const bed = createExportBed(t);
  const backend = await createRealCollector(t, bed.dir);
  const [node, gateway] = [await freePort(), await freePort()];
  const queue = join(bed.dir, 'gateway');
  const gatewaySettings = {
    ...{ OTLP_LISTEN: `127.0.0.1:${gateway}`, QUEUE_DIR: queue },
    ...{ BACKEND: `127.0.0.1:${backend.port}`, BACKEND_INSECURE: 'true' },
  };
  const first = await run(t, 'gateway', gatewaySettings);
  await run(t, 'node', {
    ...{ OTLP_LISTEN: `127.0.0.1:${node}`, QUEUE_DIR: join(bed.dir, 'node') },
    ...{ GATEWAY: `dns:///localhost:${gateway}`, GATEWAY_INSECURE: 'true' },
  });
  const lines = execLines(0, 500);
  bed.start(node);
  bed.write(...lines);
  await until('the gateway has them on disk', () => holds(queue, '/usr/bin/p499'));
  const ended = once(first, 'exit');
  first.kill('SIGKILL');
  await ended;
  await run(t, 'gateway', gatewaySettings);
  await backend.start();
  await backend.written('"/usr/bin/p499"');
  // At least once: the kill may have come between the disk and the acknowledgement to the node.
  sameLines([...new Set(backend.lines())], lines);
});

test('a plain file gets every record', options, async (t) => {
  const bed = createExportBed(t);
  const port = await freePort();
  const file = join(bed.dir, 'out.jsonl');
  await run(t, 'file', { OTLP_LISTEN: `127.0.0.1:${port}`, OUTPUT_FILE: file });
  const lines = execLines(0, 500);
  bed.start(port);
  bed.write(...lines);
  await until('all are written', () => {
    return existsSync(file) && readFileSync(file, 'utf8').includes('"/usr/bin/p499"');
  });
  const requests = readFileSync(file, 'utf8').trimEnd().split('\n');
  sameLines(
    requests.flatMap((line) => linesOf(JSON.parse(line) as LogsData)),
    lines,
  );
});

test('Loki’s endpoint is sent OTLP, again after it refused', options, async (t) => {
  const bed = createExportBed(t);
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
  await run(t, 'loki', {
    OTLP_LISTEN: `127.0.0.1:${port}`,
    LOKI: `http://127.0.0.1:${(loki.address() as AddressInfo).port}/otlp/v1/logs`,
  });
  bed.start(port);
  bed.write(...execLines(0, 100));
  await until('the last record has come', () =>
    taken.some((body) => body.includes('/usr/bin/p99')),
  );
  equal(refusals, 2);
  match([...paths].join(), /^POST \/otlp\/v1\/logs application\/x-protobuf$/);
});

function configs(names: readonly string[]): string[] {
  return names.flatMap((name) => ['--config', join(FOLDER, `${name}.yaml`)]);
}

/** Starts a collector on one of the project's configurations, and waits until it is ready. */
async function run(
  t: TestContext,
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const child = spawn(OTELCOL ?? '', configs([name]), {
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  let said = '';
  child.stderr.on('data', (data) => {
    said += data;
  });
  await until(`${name} runs`, () => {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
    return said.includes('Everything is ready');
  });
  return child;
}

/** Whether a queue's folder has this text in one of its files. */
function holds(folder: string, text: string): boolean {
  try {
    execFileSync('grep', ['-raqF', text, folder]);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createSocket().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
