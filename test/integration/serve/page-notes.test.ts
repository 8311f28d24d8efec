import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { textOf } from '../../support/report/browser.ts';
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
