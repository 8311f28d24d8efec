import { equal, match } from 'node:assert/strict';
import { statSync } from 'node:fs';
import { after, test } from 'node:test';
import { exec, start, text } from '../../check/craft.ts';
import { Folder, segment, vcml } from '../../support/forensics.ts';

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
    equal(code, 64);
    match(stderr, /cannot be written: /);
    equal(stderr.includes('    at '), false, stderr);
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
