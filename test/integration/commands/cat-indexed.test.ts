import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { related } from '../../../agent/commands/related.ts';
import { IndexedSegments } from '../../../agent/journal/indexed.ts';
import { listSegmentsSync } from '../../../agent/journal/segment.ts';
import { idSetOf } from '../../../record/index/id-set.ts';
import { decodeIndex, encodeIndex } from '../../../record/index/segment-index.ts';
import { lines, loss, sound, start, text, time } from '../../check/craft.ts';
import { append, createBed } from '../../support/journal/bed.ts';
import {
  changedCopy,
  flipBit,
  idOf,
  RECORDS,
  record,
  removeIndexes,
  SEGMENTS,
  timeOf,
  writeIndexed,
} from '../../support/journal/indexed-journal.ts';
import { execLine } from '../../support/journal/lines.ts';
import { indexName, segmentName } from '../../support/journal/segment-name.ts';
import { AGENT_BIN, VCML_BIN } from '../../support/paths.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';

const folder = temporaryFolder();
const last = SEGMENTS * RECORDS - 1;
const FRAME_BYTES = 256 << 10;
const AT_ONCE = { chunkSize: 1 << 20 };
const compressed = (number: number) => `${segmentName(number)}.zst`;

const SELECTIONS: readonly (readonly string[])[] = [
  ['--id', idOf(last)],
  ['--id', idOf(RECORDS + 50).slice(0, 8)],
  ['--id', idOf(last + 20)],
  ['--id', idOf(last).slice(0, 4)],
  ['--id', '00000000-0000-5000-8000-000000000000'],
  ['--pod', 'shop/cart-7'],
  ['--pod', 'cart-20', '--since', timeOf(0)],
  ['--pod', 'nothing'],
  ['--since', timeOf(last - 40), '--until', timeOf(last + 10)],
  ['--until', timeOf(RECORDS + 5)],
  ['--until', timeOf(0)],
];
/** Some of them, where the journals are what differs. */
const FEW = SELECTIONS.filter((_, n) => [0, 5, 9].includes(n));
/** Each frame is judged alone, and an odd journal has those of a sound one, but no segment is skipped in it. */
const OF_SOUND = SELECTIONS.filter((_, n) => [0, 3, 5, 8, 9].includes(n));

const bootTimeOf = (n: number) => record(n).attributes['vcml.boot_time'];

interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function cat(dir: string, selection: readonly string[]): Promise<Printed> {
  const args = ['cat', '--journal-dir', dir, ...selection];
  return new Promise((resolve) => {
    const child = execFile(AGENT_BIN, args, { maxBuffer: 1 << 28 }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

/** Checks that the same is printed with indexes and without. */
async function isSame(
  dir: string,
  says?: RegExp,
  selections = says === undefined ? SELECTIONS : FEW,
): Promise<void> {
  const bare = changedCopy(dir, `${basename(dir)}-without`, removeIndexes);
  for (const selection of selections) {
    const [own, other] = await Promise.all([cat(dir, selection), cat(bare, selection)]);
    const what = selection.join(' ');
    assert.equal(own.code, other.code, `${what}: ${own.stderr}`);
    assert.ok(own.stdout === other.stdout, what);
    const errors = own.stderr.split('\n').filter((line) => !line.includes('.index'));
    assert.equal(errors.join('\n'), other.stderr.replaceAll('-without', ''), what);
    if (says === undefined) assert.ok(!own.stderr.includes('.index'), own.stderr);
    else assert.match(own.stderr, says, what);
  }
  rmSync(bare, { recursive: true });
}

const whole = join(folder, 'whole');
const odd = join(folder, 'odd');
before(async () => {
  await writeIndexed(whole, ([, second]) => {
    second?.splice(4000, 0, text(loss(10 * (RECORDS + 4000), 1, 0, 1, 1)));
  });
  await writeIndexed(odd, ([first, second, third, open]) => {
    const foreign = lines(Object.values(sound())).map((line) => line.replace(/"pid":/, ' "pid":'));
    const { parent_cause: cause } = record(last);
    first?.splice(300, 0, '', '{"id":"x","parent_cause":"y"}', '\0\0\0', '{"id":', ...foreign);
    first?.splice(5000, 0, `{"id":"${cause}","parent_cause":"${idOf(last)}"}`);
    // the same id again, once with the same content and once with another one
    second?.splice(500, 0, text(record(last - 1)), text(record(RECORDS + 3, { 'vcml.cpu': 7 })));
    third?.splice(20, 1, (third?.[20] ?? '').slice(0, 400));
    open?.push(`{"id":"${idOf(last + 1)}","timestamp":`);
  });
});

test('cat --since reads no segment whose index ends before, and each other one', async () => {
  const dir = changedCopy(whole, 'times', (one) => {
    // Reading the first segment would remark on it.
    flipBit(join(one, compressed(1)), 0.3);
    for (const name of readdirSync(one)) utimesSync(join(one, name), 1, 1);
  });
  const since = (n: number) => cat(dir, ['--since', time(BigInt(`${bootTimeOf(n)}`))]);
  const [later, earlier] = [await since(2 * RECORDS), await since(RECORDS - 1)];
  assert.deepEqual([later.code, later.stderr], [0, '']);
  assert.equal(later.stdout.split('\n').length - 1, RECORDS + 50);
  assert.match(earlier.stderr, /1\.index: not used: it is not the index of this segment/);
  // The index of another segment says nothing.
  copyFileSync(join(dir, indexName(1)), join(dir, indexName(3)));
  const misled = await since(2 * RECORDS);
  assert.equal(misled.stdout, later.stdout);
});

describe('cat prints the same with indexes as without them', { concurrency: 1 }, () => {
  test('from a sound journal', () => isSame(whole, undefined, OF_SOUND));

  test('where lines are no records, repeat others, or are not the agent’s', () => isSame(odd));

  test('where a bit of a segment is flipped', async () => {
    for (const share of [0.2, 0.9]) {
      const dir = changedCopy(whole, `flipped-${share}`, (one) =>
        flipBit(join(one, compressed(2)), share),
      );
      await isSame(dir, /2\.index: not used: it is not the index of this segment/);
    }
  });

  test('where a segment is cut off, or another one has its name', async () => {
    const dir = changedCopy(whole, 'cut', (one) => {
      const bytes = readFileSync(join(one, compressed(3)));
      writeFileSync(join(one, compressed(3)), bytes.subarray(0, bytes.length / 2));
      copyFileSync(join(one, compressed(2)), join(one, compressed(1)));
    });
    await isSame(dir, /1\.index: not used: it is not the index of this segment/);
  });

  test('where an index is damaged, of another segment, or absent', async () => {
    const dir = changedCopy(whole, 'index', (one) => {
      flipBit(join(one, indexName(1)), 0.5);
      copyFileSync(join(one, indexName(2)), join(one, indexName(3)));
      rmSync(join(one, indexName(2)));
    });
    await isSame(dir, /1\.index: not used: [^\n]*\n(.|\n)*3\.index: not used/, [
      ['--pod', 'cart-7'],
    ]);
  });

  test('where something was appended to a segment after its index was written', async () => {
    const dir = changedCopy(whole, 'stale', (one) => {
      const more = readFileSync(join(whole, compressed(3)));
      appendFileSync(join(one, compressed(2)), more);
    });
    await isSame(dir, /2\.index: not used: it is not the index of this segment/);
  });

  test('where sets of ids are damaged, and where no index knows records about the journal', async () => {
    const dir = changedCopy(whole, 'sets', (one) => {
      for (const number of [1, 2, 3]) {
        const { resources, frames } = decodeIndex(readFileSync(join(one, indexName(number))));
        const cut = frames.map((frame) => ({
          ...frame,
          onlyExecs: false,
          ids: { ...frame.ids, count: frame.ids.count + 50 },
          parents: { ...frame.parents, count: frame.parents.count + 50 },
        }));
        writeFileSync(join(one, indexName(number)), encodeIndex({ resources, frames: cut }));
      }
    });
    await isSame(dir, undefined, FEW);
  });
});

test('behind a start, execs that are earlier than --since are of it', async () => {
  const dir = join(folder, 'restarted');
  const [unread, restart] = [RECORDS + 100, RECORDS + 5900];
  await writeIndexed(dir, ([, second]) => {
    second?.splice(100, 0, text(start([unread + 1], 'resumed', 10 * restart + 15)));
  });
  const since = ['--since', timeOf(restart - 50)];
  const { code, stdout, stderr } = await cat(dir, since);
  assert.deepEqual([code, stderr], [0, '']);
  const printed = stdout.split('\n');
  assert.equal(printed.length - 1, 1 + (RECORDS - 100) + RECORDS + 50);
  assert.match(printed[1] ?? '', new RegExp(idOf(unread)));
  await isSame(dir, undefined, [
    since,
    [...since, '--pod', 'cart-20'],
    [...since, '--until', timeOf(last)],
  ]);
  const file = join(folder, 'restarted.jsonl');
  writeFileSync(file, stdout);
  const { stdout: verdict } = spawnSync(VCML_BIN, ['audit', file], { encoding: 'utf8' });
  assert.match(verdict, /findings|sound/);
  assert.doesNotMatch(verdict, /SEQ_/);
});

/** Counts the bytes of text that are read of all compressed segments. */
async function bytesRead(isWanted: (frame: { readonly first: bigint }) => boolean) {
  const indexed = new IndexedSegments(whole);
  let bytes = 0;
  for (let number = 1; number <= SEGMENTS; number += 1)
    for await (const chunk of indexed.chunks({ number, compressed: true }, () => isWanted))
      bytes += chunk.length;
  return bytes;
}

test('frames that cannot matter are not read', async () => {
  assert.equal(await bytesRead(() => false), 0);
  const all = await bytesRead(() => true);
  const [frame] = decodeIndex(readFileSync(join(whole, indexName(2)))).frames;
  const some = await bytesRead(({ first }) => first === frame?.first);
  assert.equal(some, frame?.textBytes);
  assert.ok(some < all / 5);
});

test('a frame that ends with a piece of the file is read alone', async (t) => {
  const dir = temporaryFolder(t);
  // Noise is stored as it is, so that the frame has as many bytes as a piece that is read at once.
  const sizes = Array.from({ length: 64 }, (_, n) => FRAME_BYTES - n);
  const frames = sizes.map((size) => zstdCompressSync(randomBytes(size), AT_ONCE));
  const noise = frames.find(({ length }) => length === FRAME_BYTES) ?? assert.fail();
  const text = zstdDecompressSync(noise).length;
  const other = zstdCompressSync('other\n');
  const segment = { number: 1, compressed: true };
  const ids = idSetOf(new Uint32Array());
  const content = { lines: 1, isOurs: true, onlyExecs: true, first: 0n, last: 0n, ids };
  const frame = (offset: number, bytes: Buffer, textBytes: number) => {
    const place = { offset, bytes: bytes.length, crc: crc32(bytes), textBytes };
    return { ...place, ...content, parents: ids, resources: [] };
  };
  const index = [frame(0, noise, text), frame(noise.length, other, 6)];
  writeFileSync(join(dir, compressed(1)), Buffer.concat([noise, other]));
  writeFileSync(join(dir, indexName(1)), encodeIndex({ resources: [], frames: index }));
  for (const [isWanted, expected] of [
    [() => true, text + 6],
    [({ offset }: { readonly offset: number }) => offset === 0, text],
  ] as const) {
    const indexed = new IndexedSegments(dir);
    let bytes = 0;
    for await (const chunk of indexed.chunks(segment, () => isWanted)) bytes += chunk.length;
    assert.deepEqual([bytes, indexed.remarks], [expected, []]);
  }
});

test('cat is right while segments are closed, compressed and deleted', async (t) => {
  const bed = createBed(t);
  const journal = await bed.open({ segmentMaxBytes: 200_000, maxBytes: 6_000_000 });
  const lineOf = (n: number) => execLine(n, { args: ['x', randomBytes(600).toString('hex')] });
  const numbersIn = (stdout: string) =>
    Array.from(stdout.matchAll(/"vcml.seq":(\d+)/g), ([, digits]) => Number(digits));
  let written = 0;
  let isOver = false;
  let limit = 0;
  const writing = (async () => {
    while (!isOver) {
      await pause(5);
      // Less than the journal keeps of what is not compressed yet, so that no reader is overtaken.
      if (written >= limit) continue;
      await append(journal, ...Array.from({ length: 30 }, (_, n) => lineOf(written + n)));
      written += 30;
    }
  })();
  try {
    for (let round = 1; round <= 8; round += 1) {
      limit = 1500 * round + 500;
      await until('more records', () => written > 1500 * round);
      const before = written - 1;
      // It is the second of three that caused each other.
      const recent = before - (before % 3) - 5;
      const { id, timestamp } = JSON.parse(execLine(recent));
      const since = new Date(Math.floor(timestamp / 1e6)).toISOString();
      const [later, family] = await Promise.all([
        cat(bed.dir, ['--since', since]),
        cat(bed.dir, ['--id', id]),
      ]);
      // The oldest segment may have gone since it was listed, and is not needed.
      for (const { stderr } of [later, family])
        assert.match(stderr, /^(vcml-agent: .+: deleted for space before it was read.+\n)*$/);
      const [first = 0, ...more] = numbersIn(later.stdout);
      assert.ok(first <= recent, `${first} is after ${recent}`);
      assert.deepEqual(
        more,
        more.map((_, n) => first + 1 + n),
      );
      assert.ok(first + more.length >= before);
      assert.deepEqual(numbersIn(family.stdout), [recent - 1, recent, recent + 1]);
    }
    assert.ok(bed.ranges.length > 0, 'nothing was deleted');
  } finally {
    isOver = true;
    await writing;
    await journal.close();
  }
});

test('cat says which segments were deleted while it read others', async (t) => {
  for (const selection of [[], ['--since', timeOf(0)]]) {
    const dir = changedCopy(whole, `overtaken-${selection.length}`, () => {});
    t.after(() => rmSync(dir, { recursive: true }));
    // It waits in the first segment until its output is read.
    const child = spawn(AGENT_BIN, ['cat', '--journal-dir', dir, ...selection]);
    const stderr = readAll(child.stderr);
    await once(child.stdout, 'readable');
    rmSync(join(dir, compressed(2)));
    rmSync(join(dir, indexName(2)));
    child.stdout.resume();
    const [code] = await once(child, 'close');
    assert.equal(code, 73);
    assert.match(await stderr, /from segment 2 to below 3: deleted for space before it was read/);
  }
});

test('a segment that was deleted since it was listed is not taken for an empty one', async (t) => {
  const dir = changedCopy(whole, 'listed', () => {});
  t.after(() => rmSync(dir, { recursive: true }));
  const segments = listSegmentsSync(dir);
  rmSync(join(dir, compressed(1)));
  for (const isIndexed of [true, false]) {
    if (!isIndexed) removeIndexes(dir);
    const said = new Set<string>();
    const onUnreadable = ({ message }: Error) => void said.add(message);
    const journal = { segments, indexed: new IndexedSegments(dir), onUnreadable };
    for await (const line of related(journal, idOf(last))) assert.ok(line);
    assert.equal(said.size, 1);
    assert.match([...said].join(), /0001\.jsonl\.zst: deleted/);
  }
});
