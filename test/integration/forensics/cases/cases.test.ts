import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { secondReading } from '../../../forensics/second-reader.ts';
import { Folder, opened, remarksIn, vcml } from '../../../support/forensics.ts';
import { followed } from './followed.ts';

const INPUTS = join(import.meta.dirname, 'inputs');
const folder = new Folder();
after(() => folder.close());

/** The exec with a cause in the journal that all of these inputs have. */
const CHILD = '1dd16067-825b-5a52-9b4a-0bcf5d52db66';
const base = readFileSync(join(INPUTS, 'base.jsonl'));
const whole = { records: 7, chain: 2, codes: [0, 0, 0, 0], finds: [] };

/** What the commands answer about a file. */
interface Case {
  /** made by the test; otherwise it is one of the files */
  readonly bytes?: Uint8Array;
  readonly records: number;
  /** how many records the chain of CHILD has */
  readonly chain: number;
  /** the exit codes of query, audit, chain and tail */
  readonly codes: readonly number[];
  /** the codes of the findings */
  readonly finds: readonly string[];
  /** what query says on stderr */
  readonly says?: RegExp;
}

const NO_ZSTD = {
  records: 0,
  chain: 0,
  codes: [2, 1, 2, 3],
  finds: ['FILE_DAMAGED'],
  says: /damaged at byte 0: no zstd frame begins here/,
};

const CASES: Readonly<Record<string, Case>> = {
  'base.jsonl': whole,
  'two-frames.jsonl.zst': {
    ...whole,
    bytes: Buffer.concat([
      zstdCompressSync(base.subarray(0, 3000)),
      zstdCompressSync(base.subarray(3000)),
    ]),
  },
  'frames.jsonl.zst': whole,
  'base.jsonl.gz': whole,
  'plain-as.jsonl.zst': NO_ZSTD,
  'zeros.jsonl.zst': NO_ZSTD,
  'fileexporter-zstd.json.zst': {
    records: 7,
    chain: 2,
    codes: [3, 1, 3, 3],
    finds: ['FILE_DAMAGED', 'FILE_DAMAGED'],
    says: /damaged at byte 0: no zstd frame begins here/,
  },
  'bom.jsonl': whole,
  'otlp.json': whole,
  'otlp-bom.json': whole,
  'otlp-mixed-signals.json': { ...whole, says: /2 lines of OTLP without logs/ },
  'pretty.jsonl': {
    ...whole,
    bytes: Buffer.concat([base, Buffer.from('{\n}\n')]),
    codes: [3, 1, 3, 3],
    finds: ['LINE_UNREADABLE'],
    says: /skipped 2 lines that cannot be read/,
  },
};

for (const [name, expected] of Object.entries(CASES))
  describe(name, () => {
    const { bytes, records, chain, codes, finds, says } = expected;
    const path = bytes === undefined ? join(INPUTS, name) : folder.write(`made/${name}`, bytes);

    test('query prints its records and says what it cannot read', async () => {
      const { code, stdout, stderr } = await vcml('query', '--output', 'jsonl', path);
      assert.equal(count(stdout), records);
      assert.equal(code, codes[0], stderr);
      if (says === undefined) assert.equal(remarksIn(stderr), '');
      else assert.match(stderr, says);
    });

    test('audit finds what is wrong with it, and nothing else', async () => {
      const { code, stdout } = await vcml('audit', '--output', 'jsonl', path);
      const found = stdout
        .trimEnd()
        .split('\n')
        .filter((line) => line !== '');
      assert.deepEqual(
        [...new Set(found.map((line) => JSON.parse(line).code))],
        [...new Set(finds)],
      );
      assert.equal(code, codes[1]);
    });

    test('chain shows the causes of an exec', async () => {
      const { code, stdout, stderr } = await vcml('chain', CHILD, '--output', 'jsonl', path);
      assert.equal(count(stdout), chain, stderr);
      assert.equal(code, codes[2], stderr);
    });

    test('tail prints its records when it appears', async () => {
      const { code, lines, stderr } = await followed(folder, name, path);
      assert.equal(lines.length, records, stderr);
      assert.equal(code, codes[3], stderr);
    });

    test('every line is a record, is of another signal, or is reported as skipped', async () => {
      const there = secondReading(path);
      await opened([path], async (journals) => {
        await journals.readyViews();
        const { count: rows = 0, skipped = 0 } = journals.extents[0] ?? {};
        assert.equal(rows - skipped, there.ids.length);
        assert.equal(rows - skipped, records);
        const others = journals.files[0]?.others ?? 0;
        assert.equal(there.recordLines + others + skipped, there.lines);
      });
    });
  });

/** Returns the number of lines. */
function count(text: string): number {
  return text.split('\n').length - 1;
}
