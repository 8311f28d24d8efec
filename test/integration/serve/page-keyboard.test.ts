import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { textOf } from '../../support/report/browser.ts';
import { idOf } from '../../support/report/incident.ts';
import { fleet } from '../../support/serve/fleet.ts';
import { Served, waitForText } from '../../support/serve/served.ts';

let served: Served;
before(async () => {
  served = await Served.start(fleet());
});
after(async () => {
  await served.close();
  assert.deepEqual(served.misdeeds, []);
});

/** Names what has the focus: a record by its command, a cell by its label, anything else by its id. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (element?.matches('.row')) return element.querySelector('.command')?.textContent ?? '';
    return element?.getAttribute('aria-label') ?? element?.id ?? '';
  });
}

async function press(page: Page, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

test('the skip link leads to the records, arrows move, Enter and Escape visit the details', async () => {
  const page = await served.open('#node=node-1');
  await waitForText(page, '#list-status', /^22 records$/);
  await press(page, 'Tab');
  assert.equal(await focused(page), 'skip');
  await press(page, 'Enter');
  assert.equal(await focused(page), 'bash');
  await page.waitForURL(/#node=node-1&id=/);
  await press(page, 'ArrowDown', 'ArrowDown');
  assert.equal(await focused(page), 'tar -cf - notes.txt');
  await waitForText(page, '#details h2', /^tar/);
  await press(page, 'Enter');
  assert.equal(await focused(page), 'details');
  await press(page, 'Escape');
  assert.equal(await focused(page), 'tar -cf - notes.txt');
  await press(page, 'End');
  assert.equal(await focused(page), 'cron -f');
  await press(page, 'Home');
  assert.equal(await focused(page), 'bash');
});

test('the tree opens, loads and closes by keys', async () => {
  const page = await served.open('#view=tree&node=node-1');
  await waitForText(page, '#tree-status', /beginnings$/);
  await page.locator('#causes [aria-selected="true"]').focus();
  await press(page, 'ArrowRight');
  await page.locator('#causes [aria-level="2"]').first().waitFor();
  assert.equal(await focused(page), 'bash');
  await press(page, 'ArrowRight');
  assert.equal(await focused(page), "sh -c './backup now'");
  await press(page, 'ArrowLeft', 'ArrowLeft');
  assert.equal(await page.locator('#causes [aria-level="2"]').count(), 0);
  await press(page, 'ArrowDown', '*');
  await page.locator('#causes [aria-level="4"]').nth(11).waitFor();
  await press(page, 'Enter');
  assert.equal(await focused(page), 'details');
});

test('a line for effects that are not loaded loads them with Enter, and their first one is selected', async () => {
  const page = await served.open(`#view=tree&about=${idOf(6)}`);
  await waitForText(page, '#details h2', /^\/tmp\/miner -q$/);
  await page.locator('#causes [aria-selected="true"]').focus();
  await press(page, 'ArrowDown');
  assert.equal(await focused(page), '⋯ load other effects of sh');
  await press(page, 'Enter');
  await waitForText(page, '#details h2', /^curl/);
  assert.match(await focused(page), /^curl/);
});

test('following a link in the details by keyboard moves the focus to its record in a tree', async () => {
  const page = await served.open(`#view=tree&about=${idOf(6)}`);
  await waitForText(page, '#details', /12 records directly/);
  await page.locator('#details').getByRole('button', { name: 'runc init' }).focus();
  await press(page, 'Enter');
  assert.equal(await focused(page), 'runc init');
  assert.equal(await textOf(page, '[aria-selected="true"] .command'), 'runc init');
});

test('the timeline is a toolbar: arrows move, Shift extends, Enter and Escape zoom', async () => {
  const page = await served.open();
  await page.locator('#bars button.loss').first().waitFor();
  await page.locator('#bars button').first().focus();
  await press(page, 'ArrowRight', 'ArrowLeft', ...Array(10).fill('Shift+ArrowRight'));
  assert.equal(await page.locator('#bars [aria-pressed="true"]').count(), 11);
  await press(page, 'Enter');
  await waitForText(page, '#list-status', /^623 records$/);
  // a step back shows four times as much
  await press(page, 'Escape');
  await page.waitForURL(/until=2026-11-23T0[34]/);
  await press(page, 'Escape');
  await waitForText(page, '#list-status', /^624 records$/);
});

test('the table of what is not known is a grid: arrows move, and Enter shows the records', async () => {
  const page = await served.open('#view=unknown');
  await page.locator('#unknown-table td[tabindex="0"]').focus();
  assert.equal(
    await focused(page),
    'records are missing, and nothing explains it, 22 records, 1 record missing',
  );
  await press(page, 'ArrowRight');
  assert.equal(await focused(page), 'silent: no record, 0 records');
  await press(page, 'ArrowDown', 'Home');
  assert.equal(await focused(page), 'complete, 600 records');
  assert.match(
    await textOf(page, '#unknown-cell'),
    /^node-2, 2026-11-23 02:00 to .* UTC: complete/,
  );
  await press(page, 'ArrowDown', 'ArrowRight');
  assert.equal(await focused(page), 'silent: no record, 0 records');
  await press(page, 'Control+End');
  assert.equal(await focused(page), 'complete, 1 record');
  await press(page, 'Enter');
  await waitForText(page, '#list-status', /^1 record$/);
  assert.equal(await page.locator('#filters #node').inputValue(), 'node-3');
  assert.equal(await textOf(page, '#records .command'), 'crond');
});
