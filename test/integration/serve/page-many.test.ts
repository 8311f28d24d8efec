import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { idOf, many } from '../../support/report/incident.ts';
import { Served, waitForText } from '../../support/serve/served.ts';

const COUNT = 20_000;
/** The maximum of rows: the visible ones and some around them. */
const ROWS_MAX = 100;

let served: Served;
before(async () => {
  served = await Served.start({ 'node-1.jsonl': many(COUNT) });
});
after(async () => {
  await served.close();
  assert.deepEqual(served.misdeeds, []);
});

/** Reads the number of the record in the first line that is wholly in sight. */
async function numberInSight(page: Page): Promise<number> {
  const shown = await page.waitForFunction(() => {
    const box = document.querySelector('#records')?.getBoundingClientRect();
    const row = document.elementFromPoint((box?.left ?? 0) + 20, (box?.top ?? 0) + 30);
    const command = row?.closest('.row')?.querySelector('.command')?.textContent;
    return /--number=\d+/.exec(command ?? '')?.[0];
  });
  return Number((await shown.jsonValue())?.slice('--number='.length));
}

async function scrollBy(page: Page, lines: number): Promise<void> {
  await page.locator('#records').evaluate((tree, by) => {
    const line = 1.75 * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    tree.scrollTop += by * line;
  }, lines);
}

test('scrolling loads page after page, no line is left out, and the document stays small', async () => {
  const page = await served.open();
  await waitForText(page, '#list-status', /^20,000 records$/);
  let seen = await numberInSight(page);
  while (seen < 6000) {
    await scrollBy(page, 100);
    await page.waitForTimeout(50);
    const now = await numberInSight(page);
    assert.ok(now >= seen && now <= seen + 102, `from ${seen} to ${now}`);
    seen = now;
    assert.ok((await page.getByRole('treeitem').count()) < ROWS_MAX);
  }
  const row = page.locator('#records [role="treeitem"]').filter({ hasText: `--number=${seen} ` });
  assert.equal(await row.getAttribute('aria-posinset'), `${seen + 1}`);
  assert.equal(await row.getAttribute('aria-setsize'), `${COUNT}`);
  const height = await page.locator('#records').evaluate((tree) => tree.scrollHeight);
  assert.ok(height < 200_000, `${height}`);
  // and the way back, over pages that were dropped
  // at the top, the second line is the first that is wholly in sight
  while (seen > 1) {
    await scrollBy(page, -100);
    await page.waitForTimeout(50);
    const now = await numberInSight(page);
    assert.ok(now <= seen && now >= seen - 102, `from ${seen} to ${now}`);
    seen = now;
  }
});

test('End and Home reach the last and the first record at once', async () => {
  const page = await served.open();
  await waitForText(page, '#list-status', /^20,000 records$/);
  await page.locator('#records [aria-selected="true"]').focus();
  await page.keyboard.press('End');
  await waitForText(page, '#details h2', /--number=19999 /);
  const focused = page.locator(':focus');
  assert.equal(await focused.getAttribute('aria-posinset'), `${COUNT}`);
  await page.keyboard.press('ArrowUp');
  await waitForText(page, '#details h2', /--number=19998 /);
  await page.keyboard.press('Home');
  await waitForText(page, '#details h2', /--number=0 /);
  assert.equal(await focused.getAttribute('aria-posinset'), '1');
});

test('a permalink opens the list at its record, and the records before it are a scroll away', async () => {
  const page = await served.open(`#id=${idOf(12_345)}`);
  await waitForText(page, '#details h2', /--number=12345 /);
  const selected = page.locator('#records [aria-selected="true"]');
  await selected.filter({ hasText: '--number=12345 ' }).waitFor();
  await selected.focus();
  for (const key of ['PageUp', 'PageUp', 'PageUp', 'PageUp']) {
    await page.keyboard.press(key);
    await page.waitForTimeout(150);
  }
  const now = Number(/--number=(\d+)/.exec((await selected.textContent()) ?? '')?.[1]);
  assert.ok(now < 12_330 && now > 12_000, `${now}`);
});

test('a tree with many beginnings and many effects loads both in parts', async () => {
  const page = await served.open('#view=tree&exe=/usr/bin/grep');
  await waitForText(page, '#tree-status', /^100 beginnings and more$/);
  await page.locator('#causes').evaluate((tree) => {
    tree.scrollTop = tree.scrollHeight;
  });
  await waitForText(page, '#tree-status', /^200 beginnings and more$/);
  assert.ok((await page.getByRole('treeitem').count()) < ROWS_MAX);
});
