import { deepEqual, equal } from 'node:assert/strict';
import { appendFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { FollowedFiles } from '../../forensics/inputs/follow.ts';
import { Folder, segment } from '../support/forensics.ts';

test('a segment that a list of the folder leaves out is read before the next ones', async (t) => {
  const folder = new Folder();
  t.after(() => folder.close());
  const first = folder.write(segment(1), 'a\n');
  const problems: string[] = [];
  const followed = new FollowedFiles([folder.path], (path, why) =>
    problems.push(`${basename(path)}: ${why}`),
  );
  const news = async () => {
    const parts: Buffer[] = [];
    for await (const part of followed.read()) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  appendFileSync(first, 'b\n');
  equal(await news(), 'b\n');
  // The second one is renamed while the folder is listed.
  folder.write(segment(3), 'd\n');
  equal(await news(), '');
  folder.write(`${segment(2)}.zst`, zstdCompressSync('c\n'));
  equal(await news(), 'c\nd\n');
  deepEqual(problems, []);
  // The fourth one was deleted.
  folder.write(segment(5), 'f\n');
  equal(await news(), '');
  equal(await news(), 'f\n');
  appendFileSync(`${folder.path}/${segment(5)}`, 'g\n');
  equal(await news(), 'g\n');
  // All that were read were deleted, and others that were not.
  for (const name of readdirSync(folder.path)) rmSync(`${folder.path}/${name}`);
  folder.write(segment(8), 'j\n');
  equal(await news(), '');
  equal(await news(), 'j\n');
  deepEqual(problems, [
    `${segment(5)}: 1 segment before it not there, and not read`,
    `${segment(8)}: 2 segments before it not there, and not read`,
  ]);
});

test('a file that cannot be read is named once, and the others are followed', async (t) => {
  const folder = new Folder();
  t.after(() => folder.close());
  const good = folder.write('a.jsonl', '');
  const problems: string[] = [];
  const followed = new FollowedFiles([folder.path], (path, why) => problems.push(`${path} ${why}`));
  // The kernel does not say how fast the loopback device is.
  symlinkSync('/sys/class/net/lo/speed', `${folder.path}/b.jsonl`);
  for (let n = 0; n < 3; n++) {
    appendFileSync(good, `${n}\n`);
    const parts: Buffer[] = [];
    for await (const part of followed.read()) parts.push(part);
    equal(Buffer.concat(parts).toString(), `${n}\n`);
  }
  deepEqual(
    problems.map((text) => text.replace(`${folder.path}/`, '').split(':')[0]),
    ['b.jsonl EINVAL'],
  );
});
