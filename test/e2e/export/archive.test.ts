import { equal } from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { vcmlWith } from '../../support/forensics.ts';
import { freePort } from '../../support/free-ports.ts';
import { execLines, hostileLines, journalLine, sameLines } from '../../support/journal/lines.ts';
import { createExportBed } from '../../support/otlp/export-bed.ts';
import { BUCKET, NO_S3, type S3, startS3 } from '../../support/s3/s3.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';
import { NO_COLLECTOR } from './collector.ts';
import { startPipeline } from './pipeline.ts';

const options = { skip: NO_COLLECTOR || NO_S3 };
const ARCHIVE = `s3://${BUCKET}/cluster/**`;

test('objects of the Collector have every line byte for byte', options, (t) => hasEveryLine(t, {}));

test('objects of JSON without compression have them, too', options, (t) =>
  hasEveryLine(t, { S3_MARSHALER: 'otlp_json', S3_COMPRESSION: 'none' }),
);

async function hasEveryLine(t: TestContext, settings: Readonly<Record<string, string>>) {
  const { s3, bed, start } = await setScene(t);
  await start(settings);
  const lines = [
    journalLine('journal.start', 900_000, ',"vcml.hook.state":"attached"'),
    ...execLines(0, 3),
    ...hostileLines(500, 5).slice(3),
    journalLine('journal.loss', 900_001, ',"vcml.loss.stage":"ring_buffer","vcml.loss.count":3'),
  ];
  await bed.write(...lines);
  await until(
    'all objects are there',
    async () => (await linesIn(s3, ARCHIVE)).length === lines.length,
  );
  sameLines(await linesIn(s3, ARCHIVE), await linesIn(s3, bed.dir));
}

test('nothing is lost while the collector is killed and the bucket refuses', options, async (t) => {
  const { s3, bed, start } = await setScene(t);
  const lines = execLines(0, 300);
  const refused = await start({ AWS_SECRET_ACCESS_KEY: 'another' });
  await bed.write(...lines);
  await until('the bucket has refused', () => /SignatureDoesNotMatch/.test(refused.said()));
  await refused.stop('SIGKILL');
  await start();
  await until(
    'all objects are there',
    async () => (await linesIn(s3, ARCHIVE)).length === lines.length,
  );
  sameLines(await linesIn(s3, ARCHIVE), await linesIn(s3, bed.dir));
});

/** Prepares a bucket, and an export to a collector that is not started. */
async function setScene(t: TestContext) {
  const s3 = await startS3(t);
  const bed = await createExportBed(t);
  const port = await freePort();
  bed.start(port);
  const settings = {
    ...s3.env,
    OTLP_LISTEN: `127.0.0.1:${port}`,
    QUEUE_DIR: temporaryFolder(t),
    S3_BUCKET: BUCKET,
    S3_REGION: s3.env.AWS_REGION ?? '',
    S3_ENDPOINT: s3.url,
    S3_PATH_STYLE: 'true',
    S3_FLUSH: '1s',
  };
  return {
    s3,
    bed,
    start: (other: Readonly<Record<string, string>> = {}) =>
      startPipeline(t, ['s3'], { ...settings, ...other }),
  };
}

/** Returns the records in a bucket or a journal as lines of a journal. */
async function linesIn(s3: S3, input: string): Promise<string[]> {
  const { code, stdout, stderr } = await vcmlWith(s3.env, 'query', '--output', 'jsonl', input);
  if (/no object has this name/.test(stderr)) return [];
  equal(code, 0, stderr);
  return stdout.trimEnd().split('\n').toSorted();
}
