import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { text as textOf } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { Graph } from '../../../../forensics/graph.ts';
import { Journals } from '../../../../forensics/journals.ts';
import { Folder, segment } from '../../../support/forensics.ts';
import { execLine, execLines } from '../../../support/journal/lines.ts';
import { VCML_BIN } from '../../../support/paths.ts';

const COUNT = 3000;
const TEXT = `${execLines(0, COUNT).join('\n')}\n`;
/** The same ids and times, and other programs. */
const OTHER = TEXT.replaceAll('/usr/bin/p', '/usr/bin/q');
const CHANGED = /jsonl(\.zst)? was deleted or changed since it was read/;

const folder = new Folder();
after(() => folder.close());

/** Puts another file in the place of one. */
function replace(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

/** Reads a file, has something happen to it, and returns the lines that are read again. */
async function againAfter(
  path: string,
  threadsFrom: number,
  happen: (path: string) => void,
): Promise<string[]> {
  const journals = await Journals.open([path], threadsFrom);
  try {
    await Graph.load(journals);
    happen(path);
    const lines: string[] = [];
    for (const rows of [[0, 1, COUNT - 1], [7]])
      for await (const { text } of journals.entries(rows)) lines.push(text);
    return lines;
  } finally {
    journals.close();
  }
}

const ASKED = [0, 1, COUNT - 1, 7].map((n) => execLine(n));
let folders = 0;
const plain = () => folder.write(`${folders++}/${segment(1)}`, TEXT);
const compressed = () => folder.write(`${folders++}/${segment(1)}.zst`, zstdCompressSync(TEXT));

for (const [how, threadsFrom] of [
  ['in threads', 0],
  ['by DuckDB', Number.POSITIVE_INFINITY],
] as const) {
  describe(`no other content is shown than was read ${how}`, () => {
    const refused = (path: string, happen: (path: string) => void) =>
      assert.rejects(againAfter(path, threadsFrom, happen), CHANGED);

    test('from a file that was replaced by one with the same ids', async () => {
      await refused(plain(), (path) => replace(path, OTHER));
      await refused(compressed(), (path) => replace(path, zstdCompressSync(OTHER)));
    });

    test('from a file in which something was written over', async () => {
      await refused(plain(), (path) => writeFileSync(path, OTHER, { flag: 'r+' }));
      await refused(plain(), (path) => writeFileSync(path, OTHER + TEXT, { flag: 'r+' }));
    });

    test('from a file that was cut off, emptied or deleted', async () => {
      await refused(plain(), (path) => truncateSync(path, TEXT.length / 2));
      await refused(plain(), (path) => truncateSync(path));
      await refused(plain(), (path) => rmSync(path));
      await refused(compressed(), (path) => rmSync(path));
    });

    test('from a compressed form that is not that of the segment', async () => {
      await refused(plain(), (path) => {
        writeFileSync(`${path}.zst`, zstdCompressSync(OTHER));
        rmSync(path);
      });
    });

    test('and what was read is shown of a file that was not changed, or has grown', async () => {
      const unchanged: readonly ((path: string) => void)[] = [
        () => {},
        (path) => appendFileSync(path, `${execLine(COUNT)}\n`),
        (path) => replace(path, readFileSync(path)),
        (path) => {
          writeFileSync(`${path}.zst`, zstdCompressSync(`${TEXT}${execLine(COUNT)}\n`));
          rmSync(path);
        },
      ];
      for (const happen of unchanged)
        assert.deepEqual(await againAfter(plain(), threadsFrom, happen), ASKED);
      const again = (path: string) => replace(path, zstdCompressSync(TEXT));
      assert.deepEqual(await againAfter(compressed(), threadsFrom, again), ASKED);
    });
  });
}

test('a command whose input is replaced while it prints says so, and ends with exit code 2', async () => {
  const path = plain();
  const child = spawn(VCML_BIN, ['query', '--output', 'jsonl', path]);
  const stderr = textOf(child.stderr);
  const ended = once(child, 'exit');
  // The command waits for the reader of a pipe that is full.
  const [first] = await once(child.stdout, 'data');
  child.stdout.pause();
  replace(path, OTHER);
  child.stdout.resume();
  const stdout = `${first}${await textOf(child.stdout)}`;
  assert.deepEqual(await ended, [2, null]);
  assert.match(await stderr, CHANGED);
  assert.doesNotMatch(stdout, /\/usr\/bin\/q/);
});
