import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT } from '../../support/paths.ts';
import { ReportBrowser, textOf } from '../../support/report/browser.ts';
import { incident, inputOf } from '../../support/report/incident.ts';

/** `make pictures` copies them from here to docs/pictures, where the README shows them. */
const PICTURES = join(ROOT, 'build/pictures');

let browser: ReportBrowser;
before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await ReportBrowser.launch();
});
after(async () => {
  await browser.close();
  assert.deepEqual(browser.misdeeds, []);
});

test('the pictures of the README show an incident as a report has it, and a chain', async () => {
  const page = await browser.open(inputOf(incident(), { title: 'What the miner did' }), {
    viewport: { width: 1400, height: 1000 },
  });
  await page.getByRole('treeitem', { name: '/tmp/miner -q' }).click();
  assert.match(await textOf(page, '#details'), /miner/);
  await page.screenshot({ path: join(PICTURES, 'report.png') });
  await page.locator('#details').screenshot({ path: join(PICTURES, 'chain.png') });
});
