import { deepEqual, equal, match } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { segmentName } from '../../support/journal/segment-name.ts';
import { AGENT_BIN } from '../../support/paths.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder();

/** The id of a record by its number. */
const idOf = (n: number) => `${String(n).padStart(8, '0')}-0000-5000-8000-000000000000`;

function line(n: number, cause: number | undefined, argument = ''): string {
  const parent = cause === undefined ? null : idOf(cause);
  return (
    `{"id":"${idOf(n)}","timestamp":${1_700_000_000_000_000_000n + BigInt(n)},` +
    `"action":"exec","parent_cause":${JSON.stringify(parent)},"resource":{},` +
    `"attributes":{"process.command_args":[${JSON.stringify(argument)}]}}`
  );
}

/** Writes a journal of these segments; all but the last are compressed. */
function journalOf(...segments: string[][]): string {
  const dir = mkdtempSync(join(folder, 'journal-'));
  for (const [index, lines] of segments.entries()) {
    const text = lines.map((one) => `${one}\n`).join('');
    const file = join(dir, segmentName(index + 1));
    if (index === segments.length - 1) writeFileSync(file, text);
    else writeFileSync(`${file}.zst`, zstdCompressSync(text));
  }
  return dir;
}

function cat(dir: string, id: string) {
  const args = ['cat', '--journal-dir', dir, '--id', id];
  const { status, stdout, stderr } = spawnSync(AGENT_BIN, args, { encoding: 'utf8' });
  const numbers = Array.from(stdout.matchAll(/^\{"id":"(\d+)/gm), ([, digits]) => Number(digits));
  return { status, numbers, stderr };
}

const CHAIN = journalOf(
  [line(1, undefined), line(2, 1), line(3, undefined)],
  [line(4, 2), line(5, 3), line(6, 4, `"parent_cause":"${idOf(7)}"`), line(7, 6), line(8, 6)],
  [line(9, 7), line(10, 8), line(11, 9), line(12, 5)],
);

test('cat --id prints a record after its causes and before what it caused, over all segments', () => {
  deepEqual(cat(CHAIN, idOf(7)), { status: 0, numbers: [1, 2, 4, 6, 7, 9, 11], stderr: '' });
});

test('cat --id accepts the beginning of an id', () => {
  deepEqual(cat(CHAIN, '0000000a').numbers, []);
  deepEqual(cat(CHAIN, '00000012').numbers, [3, 5, 12]);
});

test('cat --id prints records alone if several ids begin like that', () => {
  deepEqual(cat(CHAIN, '0000001').numbers, [10, 11, 12]);
});

test('cat --id ends where links run in a circle, or lead to nothing', () => {
  const circle = journalOf([line(1, 3), line(2, 1), line(3, 2)]);
  deepEqual(cat(circle, idOf(3)).numbers, [1, 2, 3]);
  deepEqual(cat(journalOf([line(2, 1)]), idOf(2)).numbers, [2]);
});

test('cat --id names a segment that cannot be read, and prints what the others have', () => {
  const dir = journalOf([line(1, undefined)], [], [line(2, 1)]);
  writeFileSync(join(dir, `${segmentName(2)}.zst`), 'not zstd');
  const { status, numbers, stderr } = cat(dir, idOf(2));
  deepEqual([status, numbers], [73, [1, 2]]);
  match(stderr, /^vcml-agent: .*00002\.jsonl\.zst is damaged: [^\n]*\n$/);
});

test('cat --id refuses what is no id, and other selections', () => {
  equal(cat(CHAIN, 'x').status, 64);
  const both = spawnSync(AGENT_BIN, ['cat', '--id', idOf(1), '--since', '1h'], {
    encoding: 'utf8',
  });
  equal(both.status, 64);
  match(both.stderr, /cannot be used with option '--since/);
});
