import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { idOf } from '../../support/report/incident.ts';
import { violations } from '../../support/report/violations.ts';
import { fleet } from '../../support/serve/fleet.ts';
import { Held } from '../../support/serve/held.ts';
import { Served, waitForText } from '../../support/serve/served.ts';

let served: Served;
before(async () => {
  served = await Served.start(fleet());
});
after(async () => {
  await served.close();
  assert.deepEqual(served.misdeeds, []);
});

for (const colorScheme of ['light', 'dark'] as const)
  test(`axe finds nothing, ${colorScheme}: in the list, the tree and the table, with an error, empty`, async () => {
    const page = await served.open(`#id=${idOf(6)}`, { colorScheme });
    await waitForText(page, '#details', /12 records directly/);
    await page.locator('#about-summary').click();
    await page.getByText('More', { exact: true }).click();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('link', { name: 'Tree of this record' }).click();
    await waitForText(page, '#causes', /other effects of sh/);
    assert.deepEqual(await violations(page), []);
    await page.getByRole('link', { name: 'What we do not know' }).click();
    await page.locator('#unknown-table td').first().click();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('link', { name: 'Records by time' }).click();
    await page.locator('#filters #exe').fill('/nothing/like/it');
    await page.locator('#filters #exe').press('Enter');
    await waitForText(page, '#list-status', /^0 records$/);
    assert.deepEqual(await violations(page), []);
    await page.locator('#filters #user').fill('nobody at all');
    await page.locator('#filters #user').press('Enter');
    await waitForText(page, '#problem', /must be a number, or root/);
    assert.deepEqual(await violations(page), []);
    served.takeRefusals();
  });

for (const place of ['#node=node-1', '#view=tree', '#view=unknown'])
  test(`axe finds nothing on a narrow screen with forced colours, and nothing is cut off: ${place}`, async () => {
    const viewport = { width: 360, height: 640 };
    const page = await served.open(place, { viewport, forcedColors: 'active' });
    await page.locator('[role="treeitem"], #unknown-table td').first().waitFor();
    assert.deepEqual(await violations(page), []);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `${width}`);
  });

test('axe finds nothing while the numbers of records over time are awaited', async () => {
  const page = await served.open();
  const late = await Held.hold(page, ({ pathname }) => pathname === '/api/histogram');
  await page.reload();
  await late.asked;
  await page.locator('#records [role="treeitem"]').first().waitFor();
  assert.deepEqual(await violations(page), []);
  await late.release();
  await page.locator('#bars button').first().waitFor();
});

test('a screen reader gets the state of each node and time in words', async () => {
  const page = await served.open('#view=unknown');
  await page.locator('#unknown-table td').first().waitFor();
  const snapshot = await page.getByRole('grid').ariaSnapshot();
  assert.match(snapshot, /rowheader "node-3"/);
  assert.match(snapshot, /gridcell "complete, 600 records"/);
  assert.match(snapshot, /columnheader "2026-11-23"/);
});

test('how complete the records are stays in sight when the page is scrolled', async () => {
  const page = await served.open('', { viewport: { width: 360, height: 640 } });
  await page.locator('#records [role="treeitem"]').first().waitFor();
  await page.locator('#command').scrollIntoViewIfNeeded();
  const box = await page.locator('#completeness').boundingBox();
  assert.ok(box !== null && box.y >= 0 && box.y < 100, JSON.stringify(box));
});
