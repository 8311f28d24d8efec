import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Folder } from '../../support/forensics.ts';
import { textOf } from '../../support/report/browser.ts';
import { exec } from '../../support/report/incident.ts';
import { linesOf } from '../../support/serve/journal-of.ts';
import { Served, waitForText } from '../../support/serve/served.ts';

const INPUTS = join(import.meta.dirname, '../forensics/cases/inputs');

let served: Served;
before(async () => {
  const log = join(INPUTS, 'au2.log');
  served = await Served.overInputs(join(INPUTS, 'au2.jsonl'), '--audit-log', log);
});
after(async () => {
  await served.close();
  assert.deepEqual(served.misdeeds, []);
});

test('details and tree show which request of the audit log may be behind an exec', async () => {
  const page = await served.open('#entry=exec');
  await waitForText(page, '#list-status', /^1 record$/);
  await waitForText(page, '#details h3', /^Notes$/);
  assert.match(await textOf(page, '#details'), /alice/);
  assert.doesNotMatch(await textOf(page, '#details'), /MYSECRET/);
  await page.getByRole('link', { name: 'Tree of this record' }).click();
  const row = page.locator('#causes [aria-selected="true"]');
  await row.filter({ hasText: 'noted' }).waitFor();
});

test('what is wrong with the inputs is shown first, and many warnings can be opened', async (t) => {
  const folder = new Folder();
  t.after(() => folder.close());
  const paths = Array.from({ length: 5 }, (_, n) =>
    folder.journal(`node-${n}.jsonl`, [...linesOf([exec(n)]), '{"id":']),
  );
  const torn = await Served.overInputs(...paths);
  t.after(() => torn.close());
  const page = await torn.open();
  const shown = page.locator('#warnings > li');
  assert.match((await shown.first().textContent()) ?? '', /^‼ .*skipped 1 line/);
  await page.getByText(/^\d+ more warnings$/).click();
  await page.locator('#warnings details li').last().waitFor();
  assert.deepEqual(torn.misdeeds, []);
});
