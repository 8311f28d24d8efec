import { deepEqual, equal, match } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { exec, execId, text } from '../../check/craft.ts';
import { Folder, segment, vcml } from '../../support/forensics.ts';
import { append, createBed, linesOf } from '../../support/journal/bed.ts';
import { VCML_BIN } from '../../support/paths.ts';

const RECORDS = 4000;
const AT_ONCE = 20;

const line = (n: number) => text(exec(n, n, 0, n));
const idsIn = (lines: readonly string[]) => lines.map((one) => JSON.parse(one).id as string);

/** The lines that a process prints, in a list that grows. */
function printed(child: ChildProcess): string[] {
  const lines: string[] = [];
  let rest = '';
  child.stdout?.on('data', (data) => {
    const parts = `${rest}${data}`.split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  return lines;
}

for (const segmentMaxBytes of [4 << 10, 256 << 10])
  test(`tail prints every record once and in order while segments of ${segmentMaxBytes} bytes are closed and compressed`, async (t) => {
    const bed = createBed(t);
    const journal = await bed.open({ segmentMaxBytes });
    let next = 1;
    await append(journal, line(next++));
    const child = spawn(VCML_BIN, ['tail', '--output', 'jsonl', bed.dir]);
    t.after(() => child.kill('SIGKILL'));
    const lines = printed(child);
    // It may begin to follow at any moment.
    while (lines.length === 0) {
      await append(journal, line(next++));
      await pause(50);
      equal(child.exitCode, null);
    }
    for (const end = next + RECORDS; next < end; next += AT_ONCE) {
      await append(journal, ...Array.from({ length: AT_ONCE }, (_, n) => line(next + n)));
      await pause(2);
    }
    const last = execId(next, next);
    await append(journal, line(next));
    while (!lines.at(-1)?.includes(last)) await pause(50);
    child.kill('SIGINT');
    const [exitCode] = await once(child, 'exit');
    await journal.close();
    const written = idsIn(linesOf(bed.dir));
    const ids = idsIn(lines);
    deepEqual(ids, written.slice(written.indexOf(ids[0] ?? '')));
    equal(exitCode, 0);
  });

test('tail names what is not there yet, and follows it', async (t) => {
  const folder = new Folder();
  t.after(() => folder.close());
  const later = join(folder.path, 'later.jsonl');
  const child = spawn(VCML_BIN, ['tail', '--output', 'jsonl', later]);
  t.after(() => child.kill('SIGKILL'));
  const printedLine = once(child.stdout, 'data');
  const [said] = await once(child.stderr, 'data');
  match(String(said), /later\.jsonl: no such file/);
  folder.write('later.jsonl', `${line(1)}\n`);
  equal(idsIn([String((await printedLine)[0])]).length, 1);
  child.kill('SIGINT');
  equal((await once(child, 'exit'))[0], 0);
});

test('tail does not follow a pipe, and says so', async () => {
  const { code, stderr } = await vcml('tail', '-');
  equal(code, 64);
  match(stderr, /-: tail follows files and folders, and no pipes/);
});

test('tail says what is wrong with an expression as query does, before there is a record', async (t) => {
  const folder = new Folder();
  t.after(() => folder.close());
  const file = folder.write(segment(1), '');
  for (const wrong of ['/(?=a)b/', '/(/']) {
    const [asked, followed] = await Promise.all([
      vcml('query', '--exe', wrong, file),
      vcml('tail', '--exe', wrong, file),
    ]);
    equal(followed.code, 64, followed.stderr);
    equal(followed.stderr, asked.stderr);
  }
});

test('tail without a temporary folder says that it needs one', async (t) => {
  const folder = new Folder();
  t.after(() => folder.close());
  const file = folder.write(segment(1), '');
  const { TMPDIR } = process.env;
  process.env.TMPDIR = `${folder.path}/none`;
  t.after(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  const { code, stderr } = await vcml('tail', file);
  equal(code, 2);
  match(stderr, /^vcml: the temporary folder cannot be used, set TMPDIR: [^\n]*\n$/);
});
