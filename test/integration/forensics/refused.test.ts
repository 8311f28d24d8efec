import { equal, match } from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { exec, start, text } from '../../check/craft.ts';
import { Folder, segment, vcml } from '../../support/forensics.ts';
import { execLines } from '../../support/journal/lines.ts';
import { VCML_BIN } from '../../support/paths.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = new Folder();
after(() => folder.close());

const journal = folder.journal(`j/${segment(1)}`, [text(start([1, 1])), text(exec(10, 100, 0, 1))]);

for (const [what, args] of [
  ['a report in a folder that does not exist', ['report', '-o', `${folder.path}/none/x.html`]],
  ['a report at the place of a folder', ['report', '-o', folder.path]],
  ['an export at the place of a file', ['export', '--parquet', journal]],
] as const)
  test(`${what} is refused with one sentence`, async () => {
    const { code, stderr } = await vcml(...args, journal);
    equal(code, 73);
    match(stderr, /cannot be written: /);
    equal(stderr.includes('    at '), false, stderr);
  });

test('an answer whose disk is full ends with the reason', async () => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(VCML_BIN, ['query', '--since', '2001-01-01', journal], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  match(stderr, /vcml: the answer cannot be written: ENOSPC/);
  equal(status, 73);
});

test('an answer that a disk takes only in part ends with the reason', (t) => {
  const out = join(smallDisk(t, '8k'), 'out');
  const many = folder.journal('many.jsonl', execLines(0, 60));
  const file = openSync(out, 'w');
  const args = ['query', '--output', 'jsonl', '--since', '2001-01-01', many];
  const { status, stderr } = spawnSync(VCML_BIN, args, {
    stdio: ['ignore', file, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(file);
  match(stderr, /vcml: the answer cannot be written: ENOSPC/);
  equal(status, 73);
});

/** Mounts a file system of this size. */
function smallDisk(t: TestContext, size: string): string {
  // Before the folder is removed, which is registered next.
  t.after(() => execFileSync('umount', [small]));
  const small = join(temporaryFolder(t), 'small');
  mkdirSync(small);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', small]);
  return small;
}

test('an export whose disk is full is refused with one sentence', async (t) => {
  const { code, stderr } = await vcml(
    'export',
    '--parquet',
    join(smallDisk(t, '4k'), 'p'),
    journal,
  );
  equal(code, 73);
  match(stderr, /^vcml: a disk is full: .*No space left on device.*TMPDIR/);
});

test('nobody else can read a report, also if the file was there', async () => {
  const out = folder.write('report.html', '');
  equal(statSync(out).mode & 0o777, 0o644);
  equal((await vcml('report', '-o', out, journal)).code, 0);
  equal(statSync(out).mode & 0o777, 0o600);
});

test('nobody else can read an export', async () => {
  const out = `${folder.path}/parquet`;
  equal((await vcml('export', '--parquet', out, journal)).code, 0);
  equal(statSync(out).mode & 0o077, 0);
  equal(statSync(`${out}/day=2025-11-24`).mode & 0o077, 0);
});

test('a time that ends before it begins is refused', async () => {
  const { code, stdout, stderr } = await vcml(
    'query',
    '--since',
    '2025-11-25',
    '--until',
    '2025-11-24',
    journal,
  );
  equal(code, 64);
  equal(stdout, '');
  match(stderr, /there is no time from 2025-11-25 until 2025-11-24/);
});

for (const [what, args, code, says] of [
  [
    'an option that almost exists',
    ['query', '--nope'],
    64,
    /^vcml: unknown option '--nope'\n\(Did you mean --node\?\)\n$/,
  ],
  ['an input below a file', ['query', `${journal}/x`], 2, /ENOTDIR: not a directory/],
  [
    'a folder where a reason is expected',
    ['query', '--gap', 'nodes'],
    64,
    /argument 'nodes' is invalid. Allowed choices are predates_hook, lost, untracked/,
  ],
  [
    'an audit of nothing',
    ['audit', folder.journal('empty.jsonl', [])],
    1,
    /^vcml: there is no record to audit$/m,
  ],
  [
    'too little of an id',
    ['chain', 'abc', journal],
    1,
    /^vcml: no record has the id abc; of its beginning, give at least 4 characters$/m,
  ],
] as const)
  test(`${what} is refused with the reason`, async () => {
    const found = await vcml(...args);
    match(found.stderr, says);
    equal(found.code, code);
  });
