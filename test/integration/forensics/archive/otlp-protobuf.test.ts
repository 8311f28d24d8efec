import assert, { equal, match } from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { readLogRecord } from '../../../../agent/export/encode/read-log-record.ts';
import { createScope } from '../../../../agent/export/encode/scope.ts';
import { Folder, vcml, vcmlWith } from '../../../support/forensics.ts';
import { hostileLines, sameLines } from '../../../support/journal/lines.ts';
import { NO_S3, startS3 } from '../../../support/s3/s3.ts';

const folder = new Folder();
after(() => folder.close());

const LINES = hostileLines(120, 5);
const scope = createScope('0.1.0');

/** The message that a collector makes of lines. */
function message(lines: readonly string[]): Buffer {
  const records = lines.map((line) => readLogRecord(line, scope));
  return Buffer.from(ProtobufLogsSerializer.serializeRequest(records) ?? []);
}

async function linesIn(...inputs: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await vcml('query', '--output', 'jsonl', ...inputs);
  equal(code, 0, stderr);
  return sorted(stdout.trimEnd().split('\n'));
}

const sorted = (lines: readonly string[]) => lines.toSorted();

describe('OTLP in protobuf', () => {
  test('has the lines of the journal, whatever they contain', async () => {
    folder.write('plain/logs_a1.binpb', message(LINES));
    const half = LINES.length / 2;
    folder.write('packed/logs_b2.binpb.gz', gzipSync(message(LINES.slice(0, half))));
    folder.write('packed/logs_c3.binpb.zst', zstdCompressSync(message(LINES.slice(half))));
    const expected = await linesIn(folder.journal('journal.jsonl', LINES));
    equal(expected.length, LINES.length);
    sameLines(await linesIn(`${folder.path}/plain`), expected);
    sameLines(await linesIn(`${folder.path}/packed`), expected);
  });

  test('that breaks off is damaged, and what is before that is read', async () => {
    const [first, second] = [message(LINES.slice(0, 3)), message(LINES.slice(3, 6))];
    const part = Buffer.concat([first, second.subarray(0, second.length - 9)]);
    const path = folder.write('damaged/logs.binpb', part);
    const { code, stdout, stderr } = await vcml('query', '--output', 'jsonl', path);
    equal(code, 3, stderr);
    // Each resource has a part of its own, and those of the second message may be whole.
    const read = stdout.trimEnd().split('\n').length;
    assert(read >= 3 && read < 6, `${read}`);
    match(
      stderr,
      /logs\.binpb: damaged at byte \d+: it is not OTLP in protobuf: .*, before line \d/,
    );
    const audit = await vcml('audit', path);
    match(audit.stdout, /FILE_DAMAGED/);
  });

  test('of other programs and of other signals is counted', async () => {
    const spans = Buffer.from('0a0c120a12080a0600112233aabb', 'hex');
    folder.write('others/traces_1.binpb', spans);
    folder.write('others/logs_2.binpb', message(LINES.slice(0, 2)));
    const { code, stderr } = await vcml('query', `${folder.path}/others`);
    equal(code, 0, stderr);
    match(stderr, /traces_1\.binpb: 1 line of OTLP without logs/);
  });

  test('is not what has only the name', async () => {
    const path = folder.write('wrong/logs.binpb', 'this is text\n');
    const { code, stderr } = await vcml('query', path);
    equal(code, 2);
    match(stderr, /logs\.binpb: damaged at byte \d+: it is not OTLP in protobuf/);
  });

  test('is an object of an archive, too', { skip: NO_S3 }, async (t) => {
    const s3 = await startS3(t);
    const day = 'year=2026/month=11/day=29/hour=10/minute=07';
    await s3.put(`otlp/${day}/logs_wQ2aXz9Lm.binpb.gz`, gzipSync(message(LINES)));
    const { code, stdout, stderr } = await vcmlWith(
      s3.env,
      'query',
      '--output',
      'jsonl',
      's3://archive/otlp/year=2026/month=11/day=29/**',
    );
    equal(code, 0, stderr);
    const journal = folder.journal('of-archive.jsonl', LINES);
    sameLines(sorted(stdout.trimEnd().split('\n')), await linesIn(journal));
  });
});
