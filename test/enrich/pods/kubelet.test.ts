import { deepEqual, equal, match } from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { askKubelet } from '../../../agent/enrich/pods/kubelet.ts';
import type { PodSource } from '../../../agent/enrich/pods/pod-source.ts';
import { apiPod } from '../../support/api-server.ts';
import { createAuthority } from '../../support/authority.ts';
import { kubeconfigOf } from '../../support/kubeconfig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';

const A = '8f4a1c9e-2d3b-4c5d-9e8f-0a1b2c3d4e5f';
const B = '8f4a1c9e-2d3b-4c5d-9e8f-0a1b2c3d4e60';

interface Kubelet {
  status: number;
  body: string;
  readonly asked: { url: string | undefined; headers: IncomingHttpHeaders }[];
  follow(options?: { nodeName?: string; verify?: boolean }): Followed;
}

interface Followed {
  readonly source: PodSource;
  readonly changed: string[];
  readonly problems: string[];
}

const directory = temporaryFolder();
const authority = createAuthority(directory, 'cluster');
const { certificate, key } = authority.issue('node-1', 'DNS:node-1');
const kubeconfig = join(directory, 'kubeconfig');
const cluster = {
  server: 'https://127.0.0.1:1',
  'certificate-authority': authority.certificate,
};
writeFileSync(kubeconfig, kubeconfigOf(cluster, { token: 'secret-token' }));

/** An HTTPS server with a certificate for `node-1`, as kubelets have it. */
async function withKubelet(body: (kubelet: Kubelet) => Promise<void>): Promise<void> {
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sources: PodSource[] = [];
  const kubelet: Kubelet = {
    status: 200,
    body: listOf(),
    asked: [],
    follow({ nodeName = 'node-1', verify = true } = {}) {
      const changed: string[] = [];
      const problems: string[] = [];
      const source = askKubelet({
        endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
        keys: { label: () => false, annotation: () => false },
        nodeName,
        verify,
        kubeconfig,
        onPod: (uid) => changed.push(uid),
        report: (one) => problems.push('error' in one ? one.error.message : 'fine'),
      });
      sources.push(source);
      return { source, changed, problems };
    },
  };
  server.on('request', ({ url, headers }, response) => {
    kubelet.asked.push({ url, headers });
    response.writeHead(kubelet.status).end(kubelet.body);
  });
  try {
    await body(kubelet);
  } finally {
    for (const source of sources) source.close();
    server.closeAllConnections();
    server.close();
  }
}

function listOf(...pods: object[]): string {
  return JSON.stringify({ kind: 'PodList', apiVersion: 'v1', items: pods });
}

test('the kubelet is asked for its pods with the token, and its certificate is verified', async () => {
  await withKubelet(async (kubelet) => {
    kubelet.body = listOf(apiPod(A, 'a'), {});
    const { source, changed, problems } = kubelet.follow();
    await until('a', () => changed.includes(A));
    equal(source.candidates(A)[0]?.name, 'a');
    deepEqual(problems, []);
    equal(kubelet.asked[0]?.url, '/pods');
    equal(kubelet.asked[0]?.headers.authorization, 'Bearer secret-token');
  });
});

test('an unknown pod is requested, and a deleted one stays known', async () => {
  await withKubelet(async (kubelet) => {
    kubelet.body = listOf(apiPod(A, 'a'));
    const { source, changed } = kubelet.follow();
    await until('a', () => changed.includes(A));
    kubelet.body = listOf(apiPod(B, 'b'));
    await until('b', () => source.candidates(B)[0] !== undefined);
    equal(source.candidates(A)[0]?.name, 'a');
  });
});

test('a certificate of another node is refused, unless verification is off', async () => {
  await withKubelet(async (kubelet) => {
    const { source, problems } = kubelet.follow({ nodeName: 'node-2' });
    await until('a problem', () => problems.length > 0);
    match(problems[0] ?? '', /altnames|node-2/);
    equal(source.state, 'unreachable');
    equal(kubelet.asked.length, 0, 'it got no token');

    kubelet.body = listOf(apiPod(A, 'a'));
    const unchecked = kubelet.follow({ nodeName: 'node-2', verify: false });
    await until('a', () => unchecked.changed.includes(A));
  });
});

test('a refusal is reported once, and so is its end', async () => {
  await withKubelet(async (kubelet) => {
    Object.assign(kubelet, { status: 403, body: 'Forbidden (user=x, verb=get, resource=nodes)' });
    const { source, problems } = kubelet.follow();
    await until('a problem', () => problems.length > 0);
    deepEqual(problems, ['HTTP 403: Forbidden (user=x, verb=get, resource=nodes)']);
    equal(source.state, 'unreachable');
    Object.assign(kubelet, { status: 200, body: listOf(apiPod(A, 'a')) });
    await until('a', () => source.candidates(A)[0] !== undefined);
    deepEqual(problems.slice(1), ['fine']);
    equal(source.state, 'following');
  });
});
