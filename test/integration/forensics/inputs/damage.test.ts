import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { readText } from '../../../../forensics/inputs/read/text.ts';
import { exec, lines, sound, text } from '../../../check/craft.ts';
import { audited, Folder, type Ran, vcml } from '../../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());
const RECORDS = Object.values(sound());
const JOURNAL = `${lines(RECORDS).join('\n')}\n`;
const good = folder.write('good.jsonl', JOURNAL);

/** Many records, which no other file has. */
const MANY = Array.from({ length: 2000 }, (_, n) => text(exec(1000 + n, 1000 + n, 3, n + 1)));
const many = (from = 0, to = MANY.length) =>
  MANY.slice(from, to)
    .map((line) => `${line}\n`)
    .join('');
const zstd = (content: string) =>
  zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
const flipped = (bytes: Buffer, at: number) => {
  const copy = Buffer.from(bytes);
  copy.writeUInt8((copy[at] ?? 0) ^ 0x10, at);
  return copy;
};
const count = ({ stdout }: Ran) => stdout.split('\n').length - 1;
const query = (...paths: string[]) => vcml('query', '--output', 'jsonl', ...paths);

/** A frame of zstd whose blocks have 128 KiB of one byte each (RFC 8878, 3.1.1.2.2). */
function repeated(blocks: number, windowLog: number): Buffer {
  const parts = [Buffer.of(0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3)];
  for (let n = 1; n <= blocks; n += 1) {
    const block = Buffer.from('   x');
    block.writeUIntLE((((128 << 10) << 3) | (1 << 1) | Number(n === blocks)) >>> 0, 0, 3);
    parts.push(block);
  }
  return Buffer.concat(parts);
}

interface Case {
  readonly name: string;
  readonly bytes: Buffer | string;
  /** how many records are whole in it, at least and at most */
  readonly records: readonly [number, number];
  /** what stderr says of the file */
  readonly says: RegExp;
}

const whole = zstd(many());
const parts = [zstd(many(0, 500)), zstd(many(500, 1000)), zstd(many(1000))] as const;
const middle = flipped(parts[1], Math.floor(parts[1].length / 2));

const CASES: Readonly<Record<string, Case>> = {
  'one flipped bit in a compressed file': {
    name: 'flip.jsonl.zst',
    bytes: flipped(whole, Math.floor(whole.length * 0.7)),
    records: [500, 2000],
    says: /damaged at byte \d+: .*, before line \d+/,
  },
  'one flipped bit that only the checksum shows': {
    name: 'sum.jsonl.zst',
    bytes: flipped(whole, whole.length - 1),
    records: [2000, 2000],
    says: /damaged at byte 0: its content differs from its checksum/,
  },
  'one flipped bit in one of several frames': {
    name: 'frames.jsonl.zst',
    bytes: Buffer.concat([parts[0], middle, parts[2]]),
    records: [1500, 2000],
    says: /damaged at byte \d+/,
  },
  'a frame whose first byte is lost': {
    name: 'magic.jsonl.zst',
    bytes: Buffer.concat([parts[0], flipped(parts[1], 0), parts[2]]),
    records: [1500, 1500],
    says: new RegExp(
      `damaged at byte ${parts[0].length}: no zstd frame begins here, before line 501`,
    ),
  },
  'a compressed file that is cut': {
    name: 'cut.jsonl.zst',
    bytes: whole.subarray(0, Math.floor(whole.length * 0.7)),
    records: [500, 1999],
    says: /damaged at byte \d+: the file ends within a frame/,
  },
  'a compressed file with zeros at its end': {
    name: 'tail.jsonl.zst',
    bytes: Buffer.concat([whole, Buffer.alloc(5000)]),
    records: [2000, 2000],
    says: new RegExp(`damaged at byte ${whole.length}: no zstd frame begins here`),
  },
  'zeros instead of a compressed file': {
    name: 'zeros.jsonl.zst',
    bytes: Buffer.alloc(1000),
    records: [0, 0],
    says: /damaged at byte 0: no zstd frame begins here/,
  },
  'text with the name of a compressed file': {
    name: 'text.jsonl.zst',
    bytes: many(),
    records: [0, 0],
    says: /damaged at byte 0: no zstd frame begins here/,
  },
  'frames with their length in front, as the Collector writes them': {
    name: 'framed.json.zst',
    bytes: Buffer.concat(
      parts.flatMap((part) => [Buffer.of(0, 0, part.length >> 8, part.length & 0xff), part]),
    ),
    records: [2000, 2000],
    says: /damaged at byte 0: no zstd frame begins here/,
  },
  'a gzip file that is cut': {
    name: 'cut.jsonl.gz',
    bytes: gzipSync(many()).subarray(0, -200),
    records: [1, 1999],
    says: /damaged at byte \d+/,
  },
  'text with the name of a gzip file': {
    name: 'text.jsonl.gz',
    bytes: many(),
    records: [0, 0],
    says: /damaged at byte 0: incorrect header check/,
  },
  'pretty-printed JSON': {
    name: 'pods.json',
    bytes: JSON.stringify({ kind: 'List', items: [{ metadata: { name: 'x' } }] }, undefined, 2),
    records: [0, 0],
    says: /skipped \d+ lines that cannot be read/,
  },
  'a line that is torn before a whole one': {
    name: 'torn.jsonl',
    bytes: `{"id":"x","attributes":\n${many(0, 2)}{\n}\n`,
    records: [2, 2],
    says: /skipped 3 lines that cannot be read/,
  },
  '70 MiB of zeros': {
    name: 'zeros.jsonl',
    bytes: Buffer.alloc(70 << 20),
    records: [0, 0],
    says: /73400320 zero bytes stand where something was written, before line 1/,
  },
  'zeros between whole lines': {
    name: 'hole.jsonl',
    bytes: Buffer.concat([Buffer.from(many(0, 5)), Buffer.alloc(9000), Buffer.from(many(5, 9))]),
    records: [9, 9],
    says: /9000 zero bytes stand where something was written, before line 6/,
  },
  'a frame of 4 KB that is a line of 140 MiB': {
    name: 'bomb.jsonl.zst',
    bytes: repeated(1120, 17),
    records: [0, 0],
    says: /skipped 1 line that cannot be read/,
  },
  'a frame that wants 2 GiB of memory': {
    name: 'window.jsonl.zst',
    bytes: Buffer.concat([repeated(1, 31), zstd(many(0, 3))]),
    records: [3, 3],
    says: /damaged at byte 0: .*memory/,
  },
  'a line of 140 MiB': {
    name: 'long.jsonl.zst',
    bytes: zstd(`${many(0, 2)}{"id":"${'x'.repeat(140 << 20)}"}\n${many(2, 4)}`),
    records: [4, 4],
    says: /skipped 1 line that cannot be read/,
  },
};

test('a small frame with gigabytes of text is read in small parts', async () => {
  const path = folder.write('bomb.jsonl.zst', repeated(4000, 17));
  let bytes = 0;
  for await (const part of readText(path)) {
    assert.ok(Buffer.isBuffer(part) && part.length <= 4 << 20);
    bytes += part.length;
  }
  assert.equal(bytes, 4000 * (128 << 10));
});

describe('one bad file beside a good one: what is whole in both is answered, and it is named', () => {
  for (const [what, { name, bytes, records, says }] of Object.entries(CASES))
    test(what, async () => {
      const bad = folder.write(name, bytes);
      const both = await query(good, bad);
      assert.equal(both.code, 3, both.stderr);
      const found = count(both) - RECORDS.length;
      assert.ok(found >= records[0] && found <= records[1], `${found} records`);
      assert.match(both.stderr, new RegExp(`${name.replaceAll('.', '\\.')}: ${says.source}`));
      const alone = await query(bad);
      assert.deepEqual([alone.code, count(alone)], [records[0] === 0 ? 2 : 3, found]);
      const codes = new Set((await audited(bad)).map(({ code }) => code));
      assert.ok(codes.has('FILE_DAMAGED') || codes.has('LINE_UNREADABLE'), [...codes].join());
    });
});

describe('values that the engine cannot compute with', () => {
  const odd = RECORDS.map((record) => text({ ...record, resource: { ...record.resource } }));
  const changes: Readonly<Record<string, (line: string) => string>> = {
    'the last time of 64 bits': (line) =>
      line.replace(/"timestamp":\d+/, '"timestamp":9223372036854775807'),
    'the first time of 64 bits': (line) =>
      line.replace(/"timestamp":\d+/, '"timestamp":-9223372036854775808'),
    'a time beyond 64 bits': (line) =>
      line.replace(/"timestamp":\d+/, '"timestamp":18446744073709551616'),
    'the first boot time of 64 bits': (line) =>
      line.replace(/"vcml.boot_time":"\d+"/, '"vcml.boot_time":"-9223372036854775808"'),
    'the first number of 64 bits': (line) =>
      line.replace(/"vcml.seq":\d+/, '"vcml.seq":-9223372036854775808'),
    'a CPU beyond 32 bits': (line) => line.replace(/"vcml.cpu":\d+/, '"vcml.cpu":2147483648'),
    'a loss from the first number of 64 bits on': (line) =>
      line.replace(/("vcml.loss.first_seq"):\d+/, '$1:-9223372036854775808'),
    'a host name of 300 characters': (line) =>
      line.replace('"host.name":"node"', `"host.name":"${'n'.repeat(300)}"`),
  };
  for (const [what, change] of Object.entries(changes))
    test(what, async () => {
      const name = what.replaceAll(' ', '-');
      const file = folder.journal(`${name}.jsonl`, odd.map(change));
      for (const [command, ...more] of [
        ['query'],
        ['query', '--since', '2h'],
        ['stats'],
        ['gaps'],
        ['audit'],
        ['export', '--parquet', `${folder.path}/${name}`],
      ]) {
        const { code, stderr } = await vcml(command ?? '', ...more, file);
        assert.ok([0, 1, 3].includes(code), `${command}: ${code} ${stderr}`);
      }
    });
});

test('an expression that the engine refuses is an error of usage, with the reason', async () => {
  for (const [command, ...more] of [
    ['query'],
    ['tree'],
    ['report', '-o', `${folder.path}/r.html`],
  ]) {
    const { code, stderr } = await vcml(command ?? '', ...more, '--exe', '/(?=x)/', good);
    assert.equal(code, 64);
    assert.match(
      stderr,
      /^vcml: the selection cannot be evaluated: invalid perl operator: \(\?=$/m,
    );
  }
});

test('a record that is not found may be in what cannot be read', async () => {
  const bad = folder.write('hidden.jsonl.zst', Buffer.alloc(100));
  const { code, stderr } = await vcml('chain', '01234567', good, bad);
  assert.equal(code, 3);
  assert.match(stderr, /hidden\.jsonl\.zst: damaged/);
  assert.match(stderr, /no record has the id 01234567/);
  assert.equal((await vcml('chain', '01234567', good)).code, 1);
});
