import { deepEqual, rejects } from 'node:assert/strict';
import { pipeline, Readable } from 'node:stream';
import { test } from 'node:test';
import { type KubeObject, listObjects, OBJECT, watchObjects } from '../../agent/kube/objects.ts';
import { type Answer, ApiServer } from '../support/api-server.ts';

/** Watches until the end, which must be an error. */
async function watching(answer: Answer, silenceMs: number): Promise<void> {
  const api = new ApiServer(answer);
  await api.start();
  const never = new AbortController().signal;
  try {
    const path = '/api/v1/pods?watch=true';
    const request = { kubeconfig: api.kubeconfig, path, silenceMs, stop: never };
    await Array.fromAsync(watchObjects(request, OBJECT));
  } finally {
    await api.close();
  }
}

test('a watch that the server never answers is abandoned', async () => {
  await rejects(
    watching(() => {}, 100),
    /the API server is silent/,
  );
});

test('a watch that stays silent after its headers is abandoned', async () => {
  await rejects(
    watching((_, response) => response.writeHead(200).flushHeaders(), 100),
    Error,
  );
});

test('a refusal without an end is read no further than its message', async () => {
  const answer: Answer = (_, response) => {
    const send = () => {
      while (response.write('x'.repeat(1 << 20)));
    };
    response.writeHead(500).on('drain', send);
    send();
  };
  await rejects(watching(answer, 60_000), /^Error: HTTP 500: x{300}$/);
});

test('an event of any size does not end the watch', async () => {
  const event = (name: string, more: object) =>
    `${JSON.stringify({ type: 'ADDED', object: { ...more, metadata: { uid: name } } })}\n`;
  const api = new ApiServer((_, response) => {
    const env = Array.from({ length: 40 }, () => ({ name: 'A', value: '"'.repeat(1 << 20) }));
    response.end(event('large', { env }) + event('small', {}));
  });
  await api.start();
  const path = '/api/v1/pods?watch=true';
  const { signal } = new AbortController();
  const seen = watchObjects({ kubeconfig: api.kubeconfig, path, stop: signal }, OBJECT);
  deepEqual(await Array.fromAsync(seen, (one) => (one === 'open' ? one : one.object)), [
    'open',
    ...['large', 'small'].map((uid) => ({ value: { metadata: { uid } }, isCut: false })),
  ]);
  await api.close();
});

/** Lists what a server answers with this body. */
async function listed(
  body: string | (() => Iterable<string>),
  status = 200,
): Promise<{ items: string[]; resourceVersion: string }> {
  const api = new ApiServer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    const stream = Readable.from(typeof body === 'string' ? [body] : body());
    pipeline(stream, response, () => {});
  });
  await api.start();
  try {
    const stop = new AbortController().signal;
    const request = { kubeconfig: api.kubeconfig, path: '/api/v1/pods', stop };
    const items: string[] = [];
    const resourceVersion = await listObjects(request, OBJECT, ({ value }) =>
      items.push((value as KubeObject).metadata?.uid ?? ''),
    );
    return { items, resourceVersion };
  } finally {
    await api.close();
  }
}

const HEAD = '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":';

test('what is read of each item is returned with the version of the list', async () => {
  const items =
    '[{"metadata":{"uid":"a"}},{"metadata":{},"spec":{"metadata":{"uid":"x"}}},{"metadata":{"uid":"b"}}]';
  deepEqual(await listed(`${HEAD}${items}}\n`), { items: ['a', '', 'b'], resourceVersion: '7' });
});

for (const [what, items] of [
  ['no items', '[]'],
  ['null for items, as Go writes it', 'null'],
] as const)
  test(`a list with ${what} is empty`, async () => {
    deepEqual(await listed(`${HEAD}${items}}`), { items: [], resourceVersion: '7' });
  });

for (const [what, body] of [
  ['ends within an item', `${HEAD}[{"metadata":{"uid":"a"}},{"meta`],
  ['is no list', '{"kind":"Pod","metadata":{"uid":"a"}}'],
  ['is not JSON', '<html>'],
  ['closes what is not open', '{"kind":"PodList","items":[}'],
  ['is empty', ''],
] as const)
  test(`an answer that ${what} is an error`, async () => {
    await rejects(listed(body), /not a whole list/);
  });

test('a refusal is an error with its message', async () => {
  const status = { kind: 'Status', code: 403, message: 'pods is forbidden' };
  await rejects(listed(JSON.stringify(status), 403), /HTTP 403: pods is forbidden/);
});

test('an item of any size does not end the list', async () => {
  function* body() {
    yield `${HEAD}[{"metadata":{"uid":"`;
    for (let n = 0; n < 40; n++) yield '\\u003c'.repeat(1 << 18);
    yield '"}},{"metadata":{"uid":"small"}}]}';
  }
  deepEqual(await listed(body), { items: ['', 'small'], resourceVersion: '7' });
});
