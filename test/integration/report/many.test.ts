import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { ReportBrowser, textOf } from '../../support/report/browser.ts';
import { inputOf, many } from '../../support/report/incident.ts';

const COUNT = 50_000;
/** The maximum of rows: the visible ones and some around them. */
const ROWS_MAX = 100;

let browser: ReportBrowser;
let page: Page;
before(async () => {
  browser = await ReportBrowser.launch();
  page = await browser.open(inputOf(many(COUNT)));
});
after(async () => {
  await browser.close();
  assert.deepEqual(browser.misdeeds, []);
});

test('50,000 records are counted, and only the visible ones are in the document', async () => {
  assert.equal(await textOf(page, '#status'), '50,000 records');
  const rows = await page.getByRole('treeitem').count();
  assert.ok(rows > 10 && rows < ROWS_MAX, `${rows}`);
});

test('50,000 records: keys and scrolling reach the last one, and the document has few rows', async () => {
  await page.getByRole('treeitem').first().focus();
  await page.keyboard.press('End');
  assert.match(await textOf(page, '#details h2'), /--number=49999 /);
  const tree = page.locator('#records');
  for (const part of [0.25, 0.5, 0.75]) {
    await tree.evaluate((element, at) => {
      element.scrollTop = element.scrollHeight * at;
    }, part);
    await page.waitForFunction((at) => {
      const box = document.querySelector('#records')?.getBoundingClientRect();
      const row = document.elementFromPoint((box?.left ?? 0) + 20, (box?.top ?? 0) + 100);
      const record = Number(row?.closest<HTMLElement>('[data-record]')?.dataset.record ?? -1);
      return Math.abs(record - 50_000 * at) < 600;
    }, part);
    assert.ok((await page.getByRole('treeitem').count()) < ROWS_MAX);
  }
});

test('50,000 records can be searched, filtered, collapsed and expanded', async () => {
  await page.getByLabel('Search').fill('file-4321');
  assert.equal(await textOf(page, '#status'), '11 records of 50,000');
  await page.getByLabel('Search').fill('');
  await page.getByLabel('Pod or node').fill('shop/web-7');
  assert.equal(await textOf(page, '#status'), '1,250 records of 50,000');
  await page.getByLabel('Pod or node').fill('');
  await page.getByRole('button', { name: 'Collapse all' }).click();
  assert.equal(
    await page.getByRole('treeitem').first().getAttribute('aria-setsize'),
    `${COUNT / 500}`,
  );
  await page.getByRole('treeitem').first().focus();
  await page.keyboard.press('*');
  assert.equal(await page.locator('[aria-level="2"]').first().isVisible(), true);
});
