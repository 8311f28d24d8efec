import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { Folder, segment } from '../../support/forensics.ts';
import { textOf } from '../../support/report/browser.ts';
import { idOf } from '../../support/report/incident.ts';
import { NO_S3, startS3 } from '../../support/s3/s3.ts';
import { fleet } from '../../support/serve/fleet.ts';
import { linesOf } from '../../support/serve/journal-of.ts';
import { Served, waitForText } from '../../support/serve/served.ts';

test('the page shows an archive in S3 as it shows files', { skip: NO_S3 }, async (t) => {
  const s3 = await startS3(t);
  const folder = new Folder();
  t.after(() => folder.close());
  for (const [name, records] of Object.entries(fleet())) {
    const text = linesOf(records).map((line) => `${line}\n`);
    const file = join('cluster', name.replace('.jsonl', ''), `${segment(1)}.zst`);
    folder.write(file, zstdCompressSync(text.join('')));
  }
  await s3.putFolder(join(folder.path, 'cluster'), 'cluster');
  await s3.put(`cluster/node-4/${segment(1)}.zst`, 'no zstd');
  const served = await Served.overInputsWith(s3.env, 's3://archive/cluster/**');
  t.after(() => served.close());
  const page = await served.open();
  await waitForText(page, '#list-status', /^624 records$/);
  assert.match(await textOf(page, '#facts'), /s3:\/\/archive\/cluster\/node-1/);
  assert.match(await textOf(page, '#warnings'), /node-4\/0+1\.jsonl\.zst: damaged at byte 0/);
  await page.locator('#records [aria-selected="true"]').focus();
  await page.keyboard.press('End');
  await waitForText(page, '#details h2', /^crond$/);
  const about = await served.open(`#view=tree&about=${idOf(6)}`);
  await waitForText(about, '#details', /12 records directly/);
  // What was fetched is shown whatever becomes of the archive.
  await s3.remove(`cluster/node-1/${segment(1)}.zst`);
  const later = await served.open('#user=1000&action=exec');
  await waitForText(later, '#list-status', /^\d+ records$/);
  await waitForText(later, '#details h2', /./);
  const [download] = await Promise.all([
    later.waitForEvent('download'),
    later.locator('#export-jsonl').click(),
  ]);
  assert.equal(await download.failure(), null);
  assert.deepEqual(served.misdeeds, []);
});
