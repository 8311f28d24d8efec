import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { followApiServer } from '../../../agent/enrich/pods/api-server.ts';
import type { PodSource } from '../../../agent/enrich/pods/pod-source.ts';
import { ApiServer, answering, apiPod } from '../../support/api-server.ts';
import { until } from '../../support/until.ts';

const A = '8f4a1c9e-2d3b-4c5d-9e8f-0a1b2c3d4e5f';
const B = '8f4a1c9e-2d3b-4c5d-9e8f-0a1b2c3d4e60';
const C = '8f4a1c9e-2d3b-4c5d-9e8f-0a1b2c3d4e61';

interface Followed {
  readonly source: PodSource;
  readonly changed: string[];
  /** each problem's message, and `fine` */
  readonly problems: string[];
}

async function following(
  api: ApiServer,
  body: (followed: Followed) => Promise<void>,
  kubeconfig = api.kubeconfig,
): Promise<void> {
  const changed: string[] = [];
  const problems: string[] = [];
  const source = followApiServer({
    nodeName: 'node-1',
    keys: { label: () => false, annotation: () => false },
    kubeconfig,
    onPod: (uid) => changed.push(uid),
    report: (one) => problems.push('error' in one ? one.error.message : 'fine'),
  });
  try {
    await body({ source, changed, problems });
  } finally {
    source.close();
    await api.close();
  }
}

async function started(...args: ConstructorParameters<typeof ApiServer>): Promise<ApiServer> {
  const api = new ApiServer(...args);
  await api.start();
  return api;
}

test('the pods of this node are listed from the cache, then watched with bookmarks', async () => {
  const api = await started(answering([apiPod(A, 'a'), apiPod(B, 'b')]));
  await following(api, async ({ source, changed, problems }) => {
    await until('a watch', () => api.watches.size === 1);
    equal(source.candidates(A)[0]?.name, 'a');
    equal(source.candidates(B)[0]?.name, 'b');
    equal(source.candidates(C)[0], undefined);
    deepEqual(changed, [A, B]);
    const [node, list, watch] = api.requests;
    equal(node?.path, '/api/v1/nodes/node-1');
    equal(list?.path, '/api/v1/pods');
    equal(list?.query.get('fieldSelector'), 'spec.nodeName=node-1');
    equal(list?.query.get('resourceVersion'), '0');
    equal(watch?.path, '/api/v1/pods');
    equal(watch?.query.get('fieldSelector'), 'spec.nodeName=node-1');
    equal(watch?.query.get('resourceVersion'), '10');
    equal(watch?.query.get('allowWatchBookmarks'), 'true');
    const seconds = Number(watch?.query.get('timeoutSeconds'));
    ok(seconds >= 300 && seconds <= 600, `${seconds}`);

    api.send('ADDED', apiPod(C, 'c', '11'));
    await until('c', () => source.candidates(C)[0]?.name === 'c');
    deepEqual(problems, []);
    equal(source.state, 'following');
  });
});

test('a deleted pod stays known for records that follow', async () => {
  const api = await started(answering([apiPod(A, 'a')]));
  await following(api, async ({ source }) => {
    await until('a watch', () => api.watches.size === 1);
    api.send('DELETED', apiPod(A, 'a', '11'));
    api.send('ADDED', apiPod(B, 'a', '12'));
    await until('its successor', () => source.candidates(B)[0] !== undefined);
    equal(source.candidates(A)[0]?.uid, A);
    equal(source.candidates(B)[0]?.uid, B);
  });
});

test('after the server ends a watch, the next one continues from the last bookmark', async () => {
  const api = await started(answering([apiPod(A, 'a')]));
  await following(api, async ({ problems }) => {
    await until('a watch', () => api.watches.size === 1);
    api.send('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: '57' } });
    for (const watch of api.watches) watch.end();
    await until('a second watch', () => api.count('watch') === 2);
    equal(api.requests.at(-1)?.query.get('resourceVersion'), '57');
    equal(api.count('list'), 1);
    deepEqual(problems, []);
  });
});

test('an expired version leads to a new list, both in the stream and as a response', async () => {
  const api = await started(answering([apiPod(A, 'a')]));
  const expired = { kind: 'Status', code: 410, message: 'too old resource version: 10 (20)' };
  await following(api, async ({ source, problems }) => {
    await until('a watch', () => api.watches.size === 1);
    api.answer = answering([apiPod(B, 'b')], '20');
    api.send('ERROR', expired);
    await until('a second watch', () => api.count('watch') === 2);
    equal(api.count('list'), 2);
    equal(api.requests.at(-1)?.query.get('resourceVersion'), '20');
    equal(source.candidates(B)[0]?.name, 'b');
    equal(source.candidates(A)[0]?.name, 'a', 'missing from the list: gone meanwhile');

    const fine = answering([apiPod(C, 'c')], '30');
    api.answer = (request, response) => {
      if (!request.watch) return fine(request, response);
      api.answer = fine;
      response.writeHead(410, { 'content-type': 'application/json' }).end(JSON.stringify(expired));
    };
    for (const watch of api.watches) watch.end();
    await until('a third list', () => api.count('list') === 3);
    await until('c', () => source.candidates(C)[0] !== undefined);
    deepEqual(problems, []);
  });
});

test('an outage is reported once, and so is its end; known pods stay known', async () => {
  const api = await started(answering([apiPod(A, 'a')]));
  await following(api, async ({ source, problems }) => {
    await until('a watch', () => api.watches.size === 1);
    await api.stop();
    await until('a problem', () => source.state === 'unreachable');
    equal(source.candidates(A)[0]?.name, 'a');
    api.answer = answering([]);
    await api.start();
    await until('the end of it', () => source.state === 'following');
    equal(problems.length, 2);
    match(problems[0] ?? '', /ECONNREFUSED|ECONNRESET|terminated|socket|closed/);
    equal(problems[1], 'fine');
  });
});

test('a server that closes every watch at once is not hammered', async () => {
  const api = await started(answering([]));
  const list = answering([]);
  api.answer = (request, response) => {
    if (request.watch) response.writeHead(200).end();
    else list(request, response);
  };
  await following(api, async ({ problems }) => {
    await until('a second watch', () => api.count('watch') === 2);
    const began = performance.now();
    await until('a fourth watch', () => api.count('watch') === 4);
    ok(performance.now() - began > 1000, 'pauses grow');
    equal(api.count('list'), 1);
    deepEqual(problems, []);
  });
});

test('a refusal of the server is one line with the reason', async () => {
  const message = 'pods is forbidden: User "x" cannot list resource "pods"';
  const api = await started((_, response) => {
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', code: 403, message }));
  });
  await following(api, async ({ source, problems }) => {
    await until('a problem', () => problems.length > 0);
    deepEqual(problems, [`HTTP 403: ${message}`]);
    equal(source.state, 'unreachable');
  });
});

test('a node that is not in the cluster is a problem, and not a node without pods', async () => {
  const message = 'nodes "node-1" not found';
  const api = await started(({ path }, response) => {
    const node = path === '/api/v1/nodes/node-1';
    response.writeHead(node ? 404 : 200, { 'content-type': 'application/json' });
    const list = { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: [] };
    response.end(JSON.stringify(node ? { kind: 'Status', code: 404, message } : list));
  });
  await following(api, async ({ problems }) => {
    await until('a problem', () => problems.length > 0);
    deepEqual(problems, [`HTTP 404: ${message}`]);
  });
});

test('without a kubeconfig and outside of a pod, the error says what is missing', async () => {
  const api = await started(answering([]));
  await following(
    api,
    async ({ source, problems }) => {
      await until('a problem', () => problems.length > 0);
      match(problems[0] ?? '', /no kubeconfig is configured/);
      equal(source.state, 'unreachable');
    },
    '',
  );
});

test('lines that are not events, and events that are not about pods, are ignored', async () => {
  const api = await started(answering([{}, apiPod(A, 'a')]));
  await following(api, async ({ source, problems }) => {
    await until('a watch', () => api.watches.size === 1);
    for (const watch of api.watches) watch.write('{"type":"ADDED",\nnot JSON\n\n');
    api.send('ADDED', { metadata: { resourceVersion: '11' } });
    api.send('ADDED', null);
    api.send('ADDED', apiPod(B, 'b', '12'));
    await until('b', () => source.candidates(B)[0] !== undefined);
    equal(source.candidates(A)[0]?.name, 'a');
    deepEqual(problems, []);
  });
});
