import { deepEqual, equal, match } from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { type Ran, vcmlWith } from '../../../support/forensics.ts';
import { listen } from '../../../support/listen.ts';
import type { CleanUp } from '../../../support/temporary-folder.ts';

/** Lists what a server of S3 has that answers as this says. */
async function listed(
  t: CleanUp,
  answer: (query: URLSearchParams, response: ServerResponse) => void,
): Promise<Ran> {
  const server = createServer(({ url = '' }, response) =>
    answer(new URL(url, 'http://s3').searchParams, response),
  );
  const env = {
    AWS_ENDPOINT_URL_S3: await listen(t, server),
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'y',
  };
  return vcmlWith(env, 'query', 's3://bucket/node/');
}

const page = (next: string, contents = '') =>
  `<ListBucketResult><IsTruncated>${next !== ''}</IsTruncated>
   <NextContinuationToken>${next}</NextContinuationToken>${contents}</ListBucketResult>`;
const pageOf = (query: URLSearchParams) => Number(query.get('continuation-token') ?? 0);

test('a list without an end, or that comes back to a page, is a problem', async (t) => {
  const endless = await listed(t, (query, response) => response.end(page(`${pageOf(query) + 1}`)));
  equal(endless.code, 2);
  match(endless.stderr, /pages without an object, and no end/);
  const circle = await listed(t, (query, response) =>
    response.end(page(`${(pageOf(query) % 3) + 1}`)),
  );
  equal(circle.code, 2);
  match(circle.stderr, /repeats a page of its list/);
});

test('a list that has more, and does not say how to get it, is a problem', async (t) => {
  const { code, stderr } = await listed(t, (_, response) =>
    response.end('<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>'),
  );
  equal(code, 2);
  match(stderr, /its list has more, and not how to get it/);
});

test('an object that is longer than the list says fills no disk', async (t) => {
  const contents = '<Contents><Key>node/a.jsonl</Key><Size>10</Size></Contents>';
  let sent = 0;
  const { code, stdout, stderr } = await listed(t, (query, response) => {
    if (query.has('list-type')) {
      response.end(page('', contents));
      return;
    }
    const more = () => {
      sent += 1 << 16;
      if (!response.destroyed && response.write(Buffer.alloc(1 << 16, ' '))) setImmediate(more);
    };
    response.on('drain', more);
    more();
  });
  deepEqual([code, stdout], [2, '']);
  match(stderr, /it has 10 bytes, and more came/);
  equal(sent < 64 << 20, true, `${sent} bytes`);
});
