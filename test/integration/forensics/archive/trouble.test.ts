import { deepEqual, equal, match } from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { exec, execId, lines, start } from '../../../check/craft.ts';
import { logRecord, otlpLine } from '../../../forensics/otlp.ts';
import { segment, vcmlWith } from '../../../support/forensics.ts';
import { VCML_BIN } from '../../../support/paths.ts';
import { interpose } from '../../../support/s3/interposed.ts';
import { BUCKET, NO_S3, type S3, startS3 } from '../../../support/s3/s3.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const options = { skip: NO_S3 };
let s3: S3;
if (NO_S3 === false) s3 = await startS3({ after });

/** A line of a journal. */
const line = (n: number) => lines([exec(10 * n + 10, n + 100, 0, n + 1)])[0] as string;
const idOf = (n: number) => execId(10 * n + 10, n + 100);
const named = (key: string) => `s3://${BUCKET}/${key}`;

/** Queries, and returns the ids that were printed. */
async function ids(env: Readonly<Record<string, string>>, ...inputs: readonly string[]) {
  const { code, stdout, stderr } = await vcmlWith(env, 'query', '--output', 'jsonl', ...inputs);
  const printed = stdout.split('\n').filter((one) => one !== '');
  return { code, stderr, ids: printed.map((one) => JSON.parse(one).id) };
}

describe('who may not read', options, () => {
  test('hears which credentials are missing', async () => {
    const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...nobody } = s3.env;
    const { code, stderr } = await ids(nobody, named('any'));
    equal(code, 2);
    match(stderr, /s3:\/\/archive\/any: there are no credentials for S3: set AWS_PROFILE, or/);
  });

  test('hears that the key or the secret is wrong', async () => {
    const unknown = await ids({ ...s3.env, AWS_ACCESS_KEY_ID: 'nobody' }, named('any'));
    match(unknown.stderr, /S3 does not know the access key/);
    const wrong = await ids({ ...s3.env, AWS_SECRET_ACCESS_KEY: 'guessed' }, named('any'));
    match(wrong.stderr, /S3 refuses the signature/);
    deepEqual([unknown.code, wrong.code], [2, 2]);
  });

  test('hears that the region is unknown', async () => {
    const { AWS_REGION: _, ...somewhere } = s3.env;
    match((await ids(somewhere, named('any'))).stderr, /set AWS_REGION/);
  });

  test('the list, hears which right is missing', async () => {
    await s3.put('closed/a.jsonl', `${line(1)}\n`);
    const keys = { access: 'reader', secret: 'secret-of-the-reader' };
    const env = await s3.addUser(keys, [
      { Effect: 'Allow', Action: ['s3:GetObject'], Resource: [`arn:aws:s3:::${BUCKET}/*`] },
    ]);
    const { code, stderr } = await ids(env, named('closed'));
    equal(code, 2);
    match(stderr, /s3:\/\/archive\/closed: access is denied: ask for the right s3:ListBucket/);
  });

  test('one object, gets the answer of the others', async () => {
    await s3.put('partly/a.jsonl', `${line(1)}\n`);
    await s3.put('partly/secret.jsonl', `${line(2)}\n`);
    const keys = { access: 'partly', secret: 'secret-of-another' };
    const env = await s3.addUser(keys, [
      { Effect: 'Allow', Action: ['s3:ListBucket'], Resource: [`arn:aws:s3:::${BUCKET}`] },
      { Effect: 'Allow', Action: ['s3:GetObject'], Resource: [`arn:aws:s3:::${BUCKET}/partly/a*`] },
    ]);
    const { code, stderr, ids: found } = await ids(env, named('partly'));
    equal(code, 3);
    deepEqual(found, [idOf(1)]);
    match(stderr, /^vcml: read from S3: 1 object,/m);
    match(stderr, /partly\/secret\.jsonl: cannot be read: access is denied: .* s3:GetObject/);
  });
});

test('a profile has the credentials, the region and the endpoint', options, async (t) => {
  await s3.put('profile/a.jsonl', `${line(1)}\n`);
  const folder = temporaryFolder(t);
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const { AWS_ACCESS_KEY_ID: access, AWS_SECRET_ACCESS_KEY: secret, AWS_REGION: region } = s3.env;
  const { code, stderr } = await ids(
    {
      AWS_PROFILE: 'archive',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: file(
        'config',
        `[profile archive]\nregion = ${region}\nendpoint_url = ${s3.url}\n`,
      ),
      AWS_SHARED_CREDENTIALS_FILE: file(
        'credentials',
        `[archive]\naws_access_key_id = ${access}\naws_secret_access_key = ${secret}\n`,
      ),
    },
    named('profile'),
  );
  equal(code, 0, stderr);
});

test(
  'a temporary folder that is too small is refused before anything is fetched',
  options,
  async (t) => {
    await s3.put('large/a.jsonl', `${line(1)}\n`.repeat(2000));
    const TMPDIR = temporaryFolder(t);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'small', TMPDIR]);
    try {
      const { code, stderr } = await ids({ ...s3.env, TMPDIR }, named('large'));
      equal(code, 2);
      match(
        stderr,
        /the objects have \d+ MiB, and the temporary folder has 1 MiB: set TMPDIR to a/,
      );
      deepEqual(readdirSync(TMPDIR), []);
    } finally {
      execFileSync('umount', [TMPDIR]);
    }
  },
);

describe('what is not there', options, () => {
  test('is a bucket', async () => {
    const { code, stderr } = await ids(s3.env, 's3://no-such-bucket/x');
    equal(code, 2);
    match(stderr, /s3:\/\/no-such-bucket\/x: there is no such bucket: check its name/);
  });

  test('is an object; the others are the answer', async () => {
    await s3.put('there/a.jsonl', `${line(1)}\n`);
    const { code, stderr, ids: found } = await ids(s3.env, named('there'), named('not/**/there'));
    equal(code, 3);
    deepEqual(found, [idOf(1)]);
    match(stderr, /s3:\/\/archive\/not\/\*\*\/there: cannot be read: no object has this name/);
  });

  test('is a server', async () => {
    const env = { ...s3.env, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1', AWS_MAX_ATTEMPTS: '1' };
    const { code, stderr } = await ids(env, named('x'));
    equal(code, 2);
    match(stderr, /S3 cannot be reached: check AWS_ENDPOINT_URL_S3 and the network/);
  });

  test('any more when it is read, is named', async (t) => {
    await s3.put('moving/a.jsonl', `${line(1)}\n`);
    await s3.put('moving/b.jsonl', `${line(2)}\n`);
    await s3.put('moving/c.jsonl', `${line(3)}\n`);
    const env = await interpose(t, s3, {
      async beforeGet(key) {
        if (key === 'moving/a.jsonl') await s3.remove(key);
        if (key === 'moving/b.jsonl') await s3.put(key, `${line(2)}\n${line(4)}\n`);
      },
    });
    const { code, stderr, ids: found } = await ids(env, named('moving'));
    equal(code, 3);
    deepEqual(found, [idOf(3)]);
    match(stderr, /moving\/a\.jsonl: cannot be read: it was deleted after it was listed: run the/);
    match(stderr, /moving\/b\.jsonl: cannot be read: it changed after it was listed: run the/);
  });
});

describe('a connection that breaks', options, () => {
  const long = Array.from({ length: 2000 }, (_, n) => line(n));
  const content = long.map((one) => `${one}\n`).join('');

  test('once, is tried again', async (t) => {
    await s3.put('broken/a.jsonl', content);
    let cuts = 1;
    const cutAfter = () => (cuts-- > 0 ? 100_000 : undefined);
    const env = await interpose(t, s3, { cutAfter });
    const { code, stderr, ids: found } = await ids(env, named('broken'));
    equal(code, 0, stderr);
    equal(found.length, long.length);
  });

  test('each time, is a problem, and no part of the object is an answer', async (t) => {
    await s3.put('broken/a.jsonl', content);
    await s3.put('broken/b.jsonl', `${line(5000)}\n`);
    const cutAfter = (key: string) => (key === 'broken/a.jsonl' ? 100_000 : undefined);
    const env = await interpose(t, s3, { cutAfter });
    const { code, stderr, ids: found } = await ids(env, named('broken'));
    equal(code, 3, stderr);
    deepEqual(found, [idOf(5000)]);
    match(stderr, /broken\/a\.jsonl: cannot be read: S3 cannot be reached/);
  });
});

describe('names that an attacker chose', options, () => {
  const HOSTILE = [
    'a\nvcml: all is well.jsonl',
    'a\u001b[31m.jsonl'.replace('\u001b', '\u202e'),
    `${'long'.repeat(60)}.jsonl`,
    'it\'s "quoted" & <b>.jsonl',
    'a b+c%41.jsonl',
    '..hidden.jsonl',
    '{a,b}[c]*.jsonl',
    'ä日本😀.jsonl',
    '--sql.jsonl',
  ];

  test('are read, and shown so that they do no harm', async (t) => {
    for (const [n, name] of HOSTILE.entries())
      await s3.put(`hostile/${name}`, `${line(n)}\nno record\n`);
    const TMPDIR = temporaryFolder(t);
    const { code, stderr, ids: found } = await ids({ ...s3.env, TMPDIR }, named('hostile'));
    equal(code, 3);
    deepEqual(found.toSorted(), HOSTILE.map((_, n) => idOf(n)).toSorted());
    const skipped = stderr
      .split('\n')
      .filter((one) => /skipped 1 line that cannot be read/.test(one));
    equal(skipped.length, HOSTILE.length, stderr);
    equal(stderr.includes('\u202e'), false);
    match(stderr, /hostile\/a\\nvcml: all is well\.jsonl: skipped/);
    deepEqual(readdirSync(TMPDIR), []);
  });

  test('each can be named itself', async () => {
    for (const [n, name] of HOSTILE.entries()) {
      const { ids: found, stderr } = await ids(s3.env, named(`hostile/${name}`));
      deepEqual(found, [idOf(n)], stderr);
    }
  });

  test('as SQL sees them, are the names of objects', async () => {
    const sql = 'SELECT DISTINCT file FROM records';
    const { stdout } = await vcmlWith(
      s3.env,
      'query',
      '--sql',
      sql,
      '--output',
      'json',
      named('hostile'),
    );
    const files = JSON.parse(stdout).map(({ file }: { file: string }) => file);
    deepEqual(files.toSorted(), HOSTILE.map((name) => named(`hostile/${name}`)).toSorted());
  });
});

describe('forms', options, () => {
  test('that are not readable, are refused with the remedy', async () => {
    await s3.put('forms/logs_1.json', otlpLine([logRecord(exec(10, 100, 0, 1))]));
    await s3.put('forms/logs_2.txt', 'a body');
    await s3.put('forms/logs_3.parquet', 'PAR1');
    await s3.put('forms/README', 'no');
    await s3.put('forms/folder/', '');
    const { code, stderr, ids: found } = await ids(s3.env, named('forms'));
    equal(code, 3);
    equal(found.length, 1);
    match(stderr, /forms\/README: cannot be read: its name is not that of a segment/);
    match(stderr, /neither are forms\/logs_2\.txt, forms\/logs_3\.parquet/);
    match(stderr, /set the marshaler to otlp_json or otlp_proto/);
    equal((await ids(s3.env, named('forms/**/*.json'))).code, 0);
  });

  test('of the exporter for other programs, are counted as lines that are no records', async () => {
    await s3.put('sumo/logs_1.json.gz', '{"_sourceHost":"a","log":"b"}\n');
    const { code, stderr } = await ids(s3.env, named('sumo'));
    equal(code, 2);
    match(stderr, /sumo\/logs_1\.json\.gz/);
  });
});

describe('many objects', options, () => {
  test('are listed in pages, and each is read', async (t) => {
    const folder = temporaryFolder(t);
    const count = 1100;
    for (let n = 0; n < count; n += 1) writeFileSync(join(folder, `${n}.jsonl`), `${line(n)}\n`);
    writeFileSync(join(folder, segment(1)), `${lines([start([1])])[0]}\n`);
    await s3.putFolder(folder, 'many');
    const { code, stderr, ids: found } = await ids(s3.env, named('many'));
    equal(code, 0, stderr);
    equal(found.length, count + 1);
    match(stderr, /^vcml: read from S3: 1101 objects,/m);
  });
});

describe('an address', options, () => {
  for (const [input, said] of [
    ['s3://', /objects are named as s3:\/\/BUCKET, s3:\/\/BUCKET\/KEY or s3:\/\/BUCKET\/GLOB/],
    ['s3://key:secret@archive/x', /credentials come from AWS_PROFILE/],
  ] as const)
    test(`${input.replace(/key.*@/, '…@')} is refused`, async () => {
      const { code, stderr } = await ids(s3.env, input);
      equal(code, 64);
      match(stderr, said);
      equal(stderr.includes('secret'), false);
    });

  test('is refused by tail', async () => {
    const { code, stderr } = await vcmlWith(s3.env, 'tail', named('x'));
    equal(code, 64);
    match(stderr, /objects do not grow: ask with vcml query/);
  });
});

test('who ends vcml while it fetches, leaves nothing behind', options, async (t) => {
  await s3.put('ended/a.jsonl', `${line(1)}\n`);
  const TMPDIR = temporaryFolder(t);
  const { promise: isAsked, resolve } = Promise.withResolvers<void>();
  const env = await interpose(t, s3, {
    beforeGet: () => {
      resolve();
      return new Promise(() => {});
    },
  });
  const child = spawn(VCML_BIN, ['query', named('ended')], {
    env: { ...process.env, ...env, TMPDIR },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  await isAsked;
  equal(readdirSync(TMPDIR).length, 1);
  child.kill('SIGINT');
  deepEqual(await ended, [null, 'SIGINT']);
  deepEqual(readdirSync(TMPDIR), []);
});
