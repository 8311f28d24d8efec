import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_CLICKHOUSE } from '../../support/clickhouse/clickhouse.ts';
import { startStore } from '../../support/clickhouse/stored.ts';
import { textOf } from '../../support/report/browser.ts';
import { exec, idOf } from '../../support/report/incident.ts';
import { fleet, onNode } from '../../support/serve/fleet.ts';
import { linesOf } from '../../support/serve/journal-of.ts';
import { Served, waitForText } from '../../support/serve/served.ts';

test('the page shows a store as it shows files, and says which time it is about', {
  skip: NO_CLICKHOUSE,
}, async (t) => {
  const store = await startStore(t);
  await store.insert(Object.values(fleet()).flatMap(linesOf));
  const served = await Served.overInputs(store.address, '--since', '2026-11-23');
  t.after(() => served.close());
  const page = await served.open('#user=1000&action=exec');
  await waitForText(page, '#list-status', /^\d+ records$/);
  assert.match(await textOf(page, '#about-summary'), /\(--since 2026-11-23\)$/);
  assert.equal(
    await textOf(page, '#command'),
    `vcml query --user 1000 --action exec --since 2026-11-23 ${store.address}`,
  );
  await page.getByRole('button', { name: 'Clear' }).click();
  await waitForText(page, '#list-status', /^624 records$/);
  await page.locator('#bars button.loss').first().waitFor();
  await page.locator('#records [aria-selected="true"]').focus();
  await page.keyboard.press('End');
  await waitForText(page, '#details h2', /^crond$/);
  const about = await served.open(`#view=tree&about=${idOf(6)}`);
  await waitForText(about, '#details', /12 records directly/);
  await about.locator('#causes [aria-selected="true"]').focus();
  await about.keyboard.press('ArrowRight');
  await about.locator('#causes [aria-level="4"]').nth(11).waitFor();
  await about.getByRole('link', { name: 'What we do not know' }).click();
  const cells = about
    .locator('#unknown-table tbody tr')
    .filter({ hasText: 'node-1' })
    .locator('td');
  assert.match((await cells.first().getAttribute('aria-label')) ?? '', /missing|lost/);
  await store.insert(linesOf([onNode('node-4', exec(1))]));
  await page.locator('#filters #user').fill('1000');
  await page.locator('#filters #user').press('Enter');
  await waitForText(page, '#completeness', / of 4 nodes/);
  await store.insert(linesOf([onNode('node-5', exec(2))]));
  await page.getByRole('button', { name: 'Clear' }).click();
  await waitForText(page, '#completeness', /^complete: \d of 5 nodes/);
  assert.deepEqual(served.misdeeds, []);
});
