import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { query } from '../../../../forensics/commands/query.ts';
import { Journals } from '../../../../forensics/journals.ts';
import { lines, sound } from '../../../check/craft.ts';
import { Folder, segment } from '../../../support/forensics.ts';

const folder = new Folder();
after(() => folder.close());
const RECORDS = lines(Object.values(sound()));
/** A record in each segment. */
const SEGMENTS = RECORDS.length;

/** Compresses a segment, as the agent does it, and begins the next one. */
function rotate(number: number): void {
  const plain = `${folder.path}/${segment(number)}`;
  writeFileSync(`${plain}.tmp`, zstdCompressSync(readFileSync(plain)));
  renameSync(`${plain}.tmp`, `${plain}.zst`);
  folder.journal(segment(number + 1), RECORDS.slice(number, number + 1));
  rmSync(plain);
}

test('a journal is read although its open segment is compressed during every scan', async () => {
  folder.journal(segment(1), RECORDS.slice(0, 1));
  const journals = await Journals.open([folder.path]);
  try {
    const { connection } = journals;
    const run = connection.runAndReadAll.bind(connection);
    let rotations = 0;
    connection.runAndReadAll = (sql, ...more) => {
      const isScan = sql.startsWith('CREATE OR REPLACE TABLE scanned');
      if (isScan && rotations < SEGMENTS - 1) rotate(++rotations);
      return run(sql, ...more);
    };
    await journals.scan('scanned', ['id']);
    assert.deepEqual(journals.problems, []);
    assert.equal(rotations, 2);
    assert.equal(journals.recordCount, 2, 'what was there when the scan began');
    const found: string[] = [];
    for await (const { text } of journals.entries([0, 1])) found.push(text);
    assert.deepEqual(found, RECORDS.slice(0, 2));
  } finally {
    journals.close();
  }
});

test('a query in SQL says that a segment was compressed meanwhile', async () => {
  const live = `${folder.path}/live`;
  folder.journal(`live/${segment(1)}`, RECORDS);
  const journals = await Journals.open([live]);
  try {
    const confine = journals.confine.bind(journals);
    journals.confine = async () => {
      await confine();
      renameSync(`${live}/${segment(1)}`, `${live}/${segment(1)}.zst`);
    };
    const answer = query(journals, { sql: 'SELECT count(*) FROM execs', output: 'text' });
    await assert.rejects(answer, /compressed or deleted .*: run the query again/);
  } finally {
    journals.close();
  }
});
