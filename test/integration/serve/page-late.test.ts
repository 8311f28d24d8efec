import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { textOf } from '../../support/report/browser.ts';
import { idOf } from '../../support/report/incident.ts';
import { fleet } from '../../support/serve/fleet.ts';
import { failOnce, Held } from '../../support/serve/held.ts';
import { Served, waitForText } from '../../support/serve/served.ts';
import { until } from '../../support/until.ts';

const MINER = idOf(6);
const UNKNOWN = 'ffffffff-0000-5000-8000-000000000000';

let served: Served;
before(async () => {
  served = await Served.start(fleet());
});
after(async () => {
  await served.close();
  assert.deepEqual(served.misdeeds, []);
});

const commands = (page: Page, tree = '#records') =>
  page.locator(`${tree} .command`).allTextContents();
const field = (page: Page, name: string) => page.locator(`#filters #${name}`);
const asks = (path: string, name: string, value: string) => (url: URL) =>
  url.pathname === path && url.searchParams.get(name) === value;

/** Opens a place as a link does. */
async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
}

test('a list that the reader left is given up, and never comes', async () => {
  const page = await served.open();
  await waitForText(page, '#list-status', /^624 records$/);
  const isMiner = ({ pathname }: URL) => pathname === `/api/record/${MINER}`;
  const late = await Held.hold(page, isMiner);
  let open = 0;
  page.on('request', (request) => {
    if (isMiner(new URL(request.url()))) open += 1;
  });
  page.on('requestfailed', (request) => {
    if (isMiner(new URL(request.url()))) open -= 1;
  });
  await goTo(page, `#exe=/tmp/miner&id=${MINER}`);
  await late.asked;
  await page.getByRole('button', { name: 'Clear' }).click();
  await until('the page waits for no answer about the record', () => open === 0);
  await late.release();
  await waitForText(page, '#list-status', /^624 records$/);
  assert.ok((await commands(page)).length > 1);
});

test('what is shown takes no keys and clicks while other records are awaited', async () => {
  const page = await served.open('#view=tree&node=node-1');
  await waitForText(page, '#tree-status', /beginnings$/);
  const late = await Held.hold(page, asks('/api/tree', 'node', 'node-2'));
  await field(page, 'node').fill('node-2');
  await field(page, 'node').press('Enter');
  await late.asked;
  assert.equal(await page.locator('#causes').getAttribute('aria-busy'), 'true');
  await page.locator('#causes [aria-selected="true"]').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await page.locator('#causes .row').last().click();
  await late.release();
  await waitForText(page, '#tree-status', /^[\d,]+ beginnings( and more)?$/);
  await waitForText(page, '#causes', /--number=0 /);
  assert.equal(await page.locator('#causes').getAttribute('aria-busy'), null);
  assert.equal(await page.locator('#causes [aria-level="2"]').count(), 0);
  for (const place of await page.locator('#causes .place').allTextContents())
    assert.match(place, /node-2/);
});

test('a record that is not there leaves no list of another selection', async () => {
  const page = await served.open('#user=0');
  await waitForText(page, '#list-status', /^\d+ records$/);
  await goTo(page, `#user=1000&id=${UNKNOWN}`);
  await waitForText(page, '#problem', /no record has the id ffffffff/);
  await served.refused(2);
  await page.locator('#list-status:empty').waitFor({ state: 'attached' });
  assert.deepEqual(await commands(page), []);
});

for (const [view, question, shown] of [
  ['list', '/api/records', '#list-status'],
  ['tree', '/api/tree', '#tree-status'],
  ['unknown', '/api/unknown', '#unknown-status'],
  ['list', '/api/histogram', '#from'],
  ['list', '/api/completeness', '#completeness'],
] as const)
  test(`${question} is asked again after it failed, when the reader comes back`, async () => {
    const page = await served.open('#node=node-2&view=list');
    await waitForText(page, '#list-status', /^600 records$/);
    await failOnce(page, ({ pathname }) => pathname === question);
    await goTo(page, `#node=node-3&view=${view}`);
    await waitForText(page, '#problem', /the store does not answer/);
    const failed = await textOf(page, shown);
    await goTo(page, `#node=node-3&view=${view === 'tree' ? 'list' : 'tree'}`);
    await page.locator('#problem:empty').waitFor({ state: 'attached' });
    await goTo(page, `#node=node-3&view=${view}`);
    await page.waitForFunction(
      ([selector, text]) => {
        const now = document.querySelector(selector ?? '')?.textContent ?? '';
        return now !== text && !/^(…|Loading…)?$/.test(now);
      },
      [shown, failed],
    );
    assert.equal(await textOf(page, '#problem'), '');
    await served.refused(1);
  });

test('a choice in the table does not show nodes of the selection before', async () => {
  const page = await served.open('#view=unknown&node=node-2&until=2026-11-23T03:00:00Z');
  await waitForText(page, '#unknown-status', /^1 node$/);
  const late = await Held.hold(page, ({ pathname }) => pathname === '/api/unknown');
  await field(page, 'node').fill('node-[13]');
  await field(page, 'node').press('Enter');
  await late.asked;
  await page.getByLabel('only nodes with something unknown').check();
  await page.waitForURL(/only=unknown/);
  assert.equal(await textOf(page, '#unknown-status'), 'Loading…');
  await late.release();
  await waitForText(page, '#unknown-status', /^1 node of 2$/);
});

test('suggestions that could not be read are asked for again, and old ones go', async () => {
  const page = await served.open();
  await field(page, 'exe').focus();
  await page.locator('#exe-values option').first().waitFor({ state: 'attached' });
  await failOnce(page, ({ pathname }) => pathname === '/api/values/exe');
  await field(page, 'exe').fill('mine');
  await page.waitForFunction(() => document.querySelector('#exe-values option') === null);
  await field(page, 'node').focus();
  await field(page, 'exe').focus();
  await page.locator('#exe-values option[value="/tmp/miner"]').waitFor({ state: 'attached' });
  await served.refused(1);
});

test('the details say that they are loading until those of the selected record are there', async () => {
  const page = await served.open(`#node=node-1&id=${MINER}`);
  await waitForText(page, '#details h2', /^\/tmp\/miner -q$/);
  const isChain = ({ pathname }: URL) => pathname.startsWith('/api/record/');
  const late = await Held.hold(page, isChain);
  await page.locator('#records [aria-selected="true"]').focus();
  await page.keyboard.press('ArrowDown');
  await late.asked;
  const failed = page.waitForEvent('requestfailed', (request) => isChain(new URL(request.url())));
  await page.keyboard.press('ArrowDown');
  await failed;
  assert.equal(await page.locator('#details').getAttribute('aria-busy'), 'true');
  await late.release();
  await page.locator('#details:not([aria-busy])').waitFor();
  assert.doesNotMatch(await textOf(page, '#details h2'), /miner/);
});
