import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { exec, text } from '../../../check/craft.ts';
import { logRecord, otlpLine } from '../../../forensics/otlp.ts';
import { secondReading } from '../../../forensics/second-reader.ts';
import { Folder, opened, vcml } from '../../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());

/** Returns numbers that are the same in each run (a linear congruential generator). */
function randomness(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

let pid = 0;
function record() {
  pid += 1;
  return exec(pid, pid, 0, pid);
}

/** Lines that an input may have among records. */
const ODD = [
  '',
  ' \t\r',
  '{',
  '}',
  '[',
  '"',
  '{"id":',
  '{"id":"x",',
  '{"id":"x","attributes":{',
  '[1]',
  'null',
  '{"id":5}',
  '{}',
  '\0\0\0',
  '\ufeff{',
  'kubectl: error',
  '{"resourceSpans":[]}',
  '{"schemaUrl":"https://x"}',
  '{"resourceMetrics":[],"schemaUrl":"x"}',
  otlpLine([]),
];

type Random = ReturnType<typeof randomness>;

function randomText(random: Random): string {
  const isOtlp = random(3) === 0;
  const lines = Array.from({ length: random(40) }, () => {
    const kind = random(10);
    if (kind < 2) return ODD[random(ODD.length)] ?? '';
    if (kind === 2) return `${random(2) === 0 ? '\0\0' : '\ufeff'}${text(record())}`;
    if (isOtlp && kind < 8)
      return otlpLine(Array.from({ length: 1 + random(3) }, () => logRecord(record())));
    return text(record());
  });
  const end = random(3) === 0 ? '' : '\n';
  return `${random(4) === 0 ? '\ufeff' : ''}${lines.join(random(5) === 0 ? '\r\n' : '\n')}${end}`;
}

/** Writes a text in any of the forms in which it may arrive. */
function write(name: string, content: string, random: Random): string {
  const bytes = Buffer.from(content);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length || parts.length === 0; ) {
    const length = random(2) === 0 ? bytes.length : 1 + random(4000);
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  const zstd = () => Buffer.concat(parts.map((part) => zstdCompressSync(part)));
  const gzip = () => Buffer.concat(parts.map((part) => gzipSync(part)));
  const forms: readonly (readonly [string, () => Buffer])[] = [
    ['.jsonl', () => bytes],
    ['.jsonl.zst', () => zstdCompressSync(bytes)],
    ['.jsonl.zst', zstd],
    ['.json.gz', gzip],
    ['.ndjson', zstd],
    ['.json', gzip],
  ];
  const [extension, made] = forms[random(forms.length)] ?? ['.jsonl', () => bytes];
  return folder.write(`${name}${extension}`, made());
}

describe('every line of every input', () => {
  test('is a record, is known to be none, or is reported as skipped', async () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const random = randomness(seed);
      const paths = Array.from({ length: 1 + random(3) }, (_, index) =>
        write(`random/${seed}/${index}`, randomText(random), random),
      );
      await opened(paths, async (journals) => {
        await journals.readyViews();
        for (const [index, { path, others }] of journals.files.entries()) {
          const { count = 0, skipped = 0, again = 0 } = journals.extents[index] ?? {};
          const expected = secondReading(path);
          const said = { records: count - skipped - again, others, skipped };
          const right = {
            records: expected.ids.length,
            others: expected.others,
            skipped: expected.lines - expected.recordLines - expected.others,
          };
          assert.deepEqual(said, right, `seed ${seed}: ${path}`);
        }
        const ids = paths.flatMap((path) => secondReading(path).ids);
        const rows = await journals.rows('SELECT id FROM records');
        assert.deepEqual(rows.flat().toSorted(), ids.toSorted(), `by SQL, seed ${seed}`);
        const total = journals.extents.reduce((sum, { count }) => sum + count, 0);
        const byLine: string[] = [];
        for await (const { text: line } of journals.entries([...Array(total).keys()])) {
          const [, id] = /^\s*\{"id":"([^"]+)","timestamp"/.exec(line) ?? [];
          if (id !== undefined) byLine.push(id);
        }
        assert.deepEqual(byLine, ids, `by line, seed ${seed}`);
      });
    }
  });

  test('is accounted for by every command', async () => {
    const content = `${text(record())}\n{\n${text(record())}\n${otlpLine([logRecord(record())])}\n`;
    const file = folder.write('commands/some.jsonl', content);
    const [id = ''] = secondReading(file).ids;
    const commands = [
      ['query'],
      ['query', '--sql', 'SELECT count(*) FROM records'],
      ['chain', id],
      ['tree', '--id', id],
      ['stats'],
      ['gaps'],
      ['report', '-o', `${folder.path}/commands.html`],
      ['export', '--parquet', `${folder.path}/commands-lake`],
    ];
    for (const command of commands) {
      const { code, stdout, stderr } = await vcml(...command, file);
      assert.equal(code, 3, `${command[0]}: ${stderr}`);
      assert.match(stdout + stderr, /some\.jsonl: skipped 1 line that cannot be read/);
    }
    const { code, stdout } = await vcml('audit', file);
    assert.equal(code, 1);
    assert.match(stdout, /LINE_UNREADABLE {2}\S+some\.jsonl:2\n/);
  });
});
