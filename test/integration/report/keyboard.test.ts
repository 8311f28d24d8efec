import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { ReportBrowser, textOf } from '../../support/report/browser.ts';
import { exec, idOf, incident, inputOf } from '../../support/report/incident.ts';

let browser: ReportBrowser;
before(async () => {
  browser = await ReportBrowser.launch();
});
after(async () => {
  await browser.close();
  assert.deepEqual(browser.misdeeds, []);
});

/** Names what has the focus: a record by its command and pid, anything else by its id. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    const text = (of: string) => element?.querySelector(of)?.textContent ?? '';
    return element?.matches('.row') ? `${text('.command')}, ${text('.pid')}` : (element?.id ?? '');
  });
}

async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

test('Tab stops once at the tree, and the skip link leads to it', async () => {
  const page = await browser.open(inputOf(incident()));
  await press(page, 'Tab', 'Enter', 'Tab');
  assert.match(await focused(page), /^bash, pid 1000$/);
  await press(page, 'Tab');
  assert.equal(await focused(page), 'details');
});

test('arrows, Home, End and * move, open and close, and the details follow', async () => {
  const page = await browser.open(inputOf(incident()));
  const selected = page.locator('[aria-selected="true"]');
  await page.getByRole('treeitem').first().focus();
  await press(page, 'ArrowDown', 'ArrowDown');
  assert.match(await focused(page), /^tar -cf/);
  assert.match(await textOf(page, '#details h2'), /^tar/);
  await press(page, 'ArrowLeft', 'ArrowLeft');
  assert.match(await focused(page), /^sh -c/);
  assert.equal(await selected.getAttribute('aria-expanded'), 'false');
  assert.equal(await page.getByRole('treeitem', { name: /^tar/ }).count(), 0);
  await press(page, 'ArrowLeft', 'ArrowLeft');
  assert.match(await focused(page), /^bash/);
  await press(page, '*', 'ArrowRight', 'ArrowRight');
  assert.match(await focused(page), /^tar -cf/);
  await press(page, 'End');
  assert.match(await focused(page), /^cron -f/);
  await press(page, 'Home');
  assert.match(await focused(page), /^bash/);
});

test('Enter moves to the details, and Escape moves back', async () => {
  const page = await browser.open(inputOf(incident()));
  await page.getByRole('treeitem').first().focus();
  await press(page, 'ArrowDown', 'Enter');
  assert.equal(await focused(page), 'details');
  await press(page, 'Tab', 'Escape');
  assert.match(await focused(page), /^sh -c/);
});

test('following a link in the details by keyboard moves the focus to its record', async () => {
  const page = await browser.open(inputOf(incident()));
  await page.getByRole('treeitem', { name: /^tar/ }).click();
  await press(page, 'Enter', 'Tab', 'Tab', 'Enter');
  assert.match(await focused(page), /^bash/);
});

test('n and N move through the matches of a search', async () => {
  const page = await browser.open(inputOf(incident()));
  await page.getByLabel('Search').fill('sh');
  await page.locator('[aria-selected="true"]').focus();
  const seen: string[] = [];
  for (const key of ['n', 'n', 'N']) {
    await press(page, key);
    seen.push((await focused(page)).split(',')[0] ?? '');
  }
  assert.deepEqual(seen, ["sh -c './backup now'", 'runc init', "sh -c './backup now'"]);
});

test('the timeline is a toolbar: arrows move, Shift extends, Enter and Escape zoom', async () => {
  const page = await browser.open(inputOf([exec(0), exec(1, { ms: 600 }), exec(2, { ms: 6000 })]));
  const status = page.locator('#status');
  await page.locator('#bars button').first().focus();
  await press(page, 'ArrowRight', 'ArrowLeft', ...Array(10).fill('Shift+ArrowRight'));
  assert.equal(await page.locator('#bars [aria-pressed="true"]').count(), 11);
  await press(page, 'Enter');
  assert.equal(await status.textContent(), '2 records of 3');
  await press(page, 'Escape');
  assert.equal(await status.textContent(), '3 records');
});

test('the focus stays on its line when the line is scrolled out of sight', async () => {
  const chain = Array.from({ length: 3000 }, (_, n) =>
    exec(n, n === 0 ? {} : { cause: idOf(n - 1) }),
  );
  const page = await browser.open(inputOf(chain));
  await page.getByRole('treeitem').first().focus();
  await press(page, 'ArrowDown');
  await page.locator('#records').evaluate((tree) => {
    tree.scrollTop = tree.scrollHeight;
  });
  await page.locator('[aria-level="3000"]').waitFor();
  assert.match(await focused(page), /pid 1001$/);
  await press(page, 'ArrowDown');
  assert.match(await focused(page), /pid 1002$/);
  assert.ok(await page.locator(':focus').isVisible());
  await press(page, 'End', 'PageUp');
  const level = Number(await page.locator(':focus').getAttribute('aria-level'));
  assert.ok(level > 2900 && level < 3000, `${level}`);
});
