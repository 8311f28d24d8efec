import { deepEqual, rejects } from 'node:assert/strict';
import { pipeline, Readable } from 'node:stream';
import { test } from 'node:test';
import { listObjects } from '../../agent/kube/object-list.ts';
import type { KubeObject } from '../../agent/kube/objects.ts';
import type { Listed } from '../../agent/kube/reflector.ts';
import { ApiServer } from '../support/api-server.ts';

/** Lists what a server answers with this body. */
async function listed(
  body: string | (() => Iterable<string>),
  status = 200,
): Promise<Listed<string>> {
  const api = new ApiServer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    const stream = Readable.from(typeof body === 'string' ? [body] : body());
    pipeline(stream, response, () => {});
  });
  await api.start();
  try {
    const stop = new AbortController().signal;
    const request = { kubeconfig: api.kubeconfig, path: '/api/v1/pods', stop };
    return await listObjects(request, { fields: { metadata: { uid: true } }, read: uidOf });
  } finally {
    await api.close();
  }
}

function uidOf({ metadata }: KubeObject): string | undefined {
  return metadata?.uid;
}

const HEAD = '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":';

test('what is read of each item is returned with the version of the list', async () => {
  const items =
    '[{"metadata":{"uid":"a"}},{"spec":{"metadata":{"uid":"x"}}},{"metadata":{"uid":"b"}}]';
  deepEqual(await listed(`${HEAD}${items}}\n`), { items: ['a', 'b'], resourceVersion: '7' });
});

for (const [what, items] of [
  ['no items', '[]'],
  ['null for items, as Go writes it', 'null'],
] as const)
  test(`a list with ${what} is empty`, async () => {
    deepEqual(await listed(`${HEAD}${items}}`), { items: [], resourceVersion: '7' });
  });

for (const [what, body, error] of [
  ['ends within an item', `${HEAD}[{"metadata":{"uid":"a"}},{"meta`, /ended too early/],
  ['is no list', '{"kind":"Pod","metadata":{"uid":"a"}}', /not a list/],
  ['is not JSON', '<html>', Error],
  ['closes what is not open', '{"kind":"PodList","items":[}', /not JSON/],
  ['is empty', '', /ended too early/],
] as const)
  test(`an answer that ${what} is an error`, async () => {
    await rejects(listed(body), error);
  });

test('a refusal is an error with its message', async () => {
  const status = { kind: 'Status', code: 403, message: 'pods is forbidden' };
  await rejects(listed(JSON.stringify(status), 403), /HTTP 403: pods is forbidden/);
});

test('an item without an end is not kept until the memory is full', async () => {
  function* endless() {
    yield `${HEAD}[{"metadata":{"uid":"`;
    for (;;) yield 'x'.repeat(1 << 20);
  }
  await rejects(listed(endless), /too long/);
});
