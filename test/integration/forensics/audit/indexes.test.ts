import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { compressSegment } from '../../../../agent/journal/archive/compress.ts';
import { auditOf } from '../../../../forensics/commands/audit.ts';
import { Journals } from '../../../../forensics/journals.ts';
import { idSetOf } from '../../../../record/index/id-set.ts';
import {
  decodeIndex,
  encodeIndex,
  type IndexedFrame,
  type SegmentIndex,
} from '../../../../record/index/segment-index.ts';
import { sound, text } from '../../../check/craft.ts';
import { Folder, segment } from '../../../support/forensics.ts';
import { indexName } from '../../../support/journal/segment-name.ts';

const folder = new Folder();
after(() => folder.close());

let count = 0;
/** Compresses a segment with these lines, and returns its folder. */
async function compressed(...lines: readonly string[]): Promise<string> {
  count += 1;
  const dir = join(folder.path, `${count}`);
  mkdirSync(dir);
  writeFileSync(join(dir, segment(1)), lines.map((line) => `${line}\n`).join(''));
  await compressSegment(dir, 1, 1, new AbortController().signal);
  return dir;
}

const SOUND = Object.values(sound()).map(text);

/** Returns the findings of DuckDB alone, and those of the threads that read execs. */
async function findings(dir: string): Promise<string[]> {
  const found: string[][] = [];
  for (const threadsFrom of [undefined, 0]) {
    const journals = await Journals.open([dir], threadsFrom);
    try {
      const { findings: all } = await auditOf(journals);
      found.push(all.map(({ code, message }) => `${code}: ${message}`));
    } finally {
      journals.close();
    }
  }
  assert.deepEqual(found[0], found[1]);
  return found[0] ?? [];
}

/** Audits a sound segment with a changed index. */
async function withIndex(change: (index: SegmentIndex) => SegmentIndex): Promise<string[]> {
  const dir = await compressed(...SOUND);
  const path = join(dir, indexName(1));
  writeFileSync(path, encodeIndex(change(decodeIndex(readFileSync(path)))));
  return findings(dir);
}

const withFrame = (change: (frame: IndexedFrame) => Partial<IndexedFrame>) =>
  withIndex(({ resources, frames }) => ({
    resources,
    frames: frames.map((frame) => ({ ...frame, ...change(frame) })),
  }));

test('an index that says something else than its segment is a finding', async () => {
  const other = idSetOf(Uint32Array.of(1, 2, 3));
  const changes: Record<string, (frame: IndexedFrame) => Partial<IndexedFrame>> = {
    'other ids': () => ({ ids: other }),
    'other causes': () => ({ parents: other }),
    'other times': ({ first }) => ({ first: first + 1n }),
    'other records': () => ({ onlyExecs: true }),
    'other lines': ({ lines }) => ({ lines: lines - 1 }),
    'other resources': () => ({ resources: [] }),
    'not the index of this segment': ({ crc }) => ({ crc: crc ^ 1 }),
  };
  for (const [what, change] of Object.entries(changes)) {
    const [found = '', ...more] = await withFrame(change);
    assert.deepEqual(more, [], what);
    assert.match(found, new RegExp(`^INDEX_WRONG: .*${what}`));
  }
  const later = await withFrame(({ last }) => ({ last: last - 1n }));
  assert.match(later.join(), /other times/);
  const shorter = await withFrame(({ textBytes }) => ({ textBytes: textBytes - 5 }));
  assert.match(shorter.join(), /^INDEX_WRONG/);
  const none = await withIndex(({ resources }) => ({ resources, frames: [] }));
  assert.match(none.join(), /^INDEX_WRONG: .*not the index of this segment/);
  const named = await withIndex(({ frames }) => ({ resources: ['{}'], frames }));
  assert.match(named.join(), /^INDEX_WRONG/);
});

test('an index that cannot be read is a finding', async () => {
  const dir = await compressed(...SOUND);
  const path = join(dir, indexName(1));
  const whole = readFileSync(path);
  for (const content of [whole.subarray(0, -4), Buffer.from('no index'), Buffer.alloc(0)]) {
    writeFileSync(path, content);
    assert.match((await findings(dir)).join('\n'), /^INDEX_WRONG: [^\n]*$/);
  }
});

test('no finding is an index that is right or absent, or says less than it could', async () => {
  const dir = await compressed(...SOUND);
  assert.deepEqual(await findings(dir), []);
  rmSync(join(dir, indexName(1)));
  assert.deepEqual(await findings(dir), []);
  assert.deepEqual(await withFrame(() => ({ resources: undefined })), []);
  const more = await withIndex(({ resources, frames }) => ({
    resources: [...resources, '{"host.name":"other"}'],
    frames: frames.map((frame) => ({ ...frame, resources: [0, 1] })),
  }));
  assert.deepEqual(more, []);
});

test('lines of others and damaged lines are findings, and the index that notes them is none', async () => {
  const odd = ['', '{"id":', '\0', '{"id":"x"}', `${SOUND[1]?.slice(0, 300)}`];
  const found = await findings(await compressed(...SOUND.slice(0, 3), ...odd, ...SOUND.slice(3)));
  assert.ok(found.length > 0);
  assert.ok(!found.some((one) => one.startsWith('INDEX_WRONG')), found.join('\n'));
  const empty = await findings(await compressed(SOUND[0] ?? ''));
  assert.deepEqual(empty, []);
});

test('of a damaged segment, only the damage is a finding', async () => {
  const dir = await compressed(...SOUND);
  const path = join(dir, `${segment(1)}.zst`);
  writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('?')]));
  const found = (await findings(dir)).map((one) => one.split(':')[0]);
  assert.deepEqual(found, ['FILE_DAMAGED']);
});
