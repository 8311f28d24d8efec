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

const RECORDS = incident();

function commands(page: Page): Promise<readonly string[]> {
  return page.locator('#records .command').allTextContents();
}

test('the page states what it is, its inputs, and what is missing', async () => {
  const page = await browser.open(
    inputOf(RECORDS, {
      title: 'What the miner did',
      generatedFrom: {
        inputs: [
          { path: 'node-1.jsonl', records: 20, skippedLines: 3 },
          { path: 'node-2.jsonl', records: 2, skippedLines: 0 },
        ],
        warnings: ['node-2: nothing from 02:20 to 02:31'],
      },
    }),
  );
  assert.equal(await page.title(), 'What the miner did');
  const facts = await textOf(page, '#facts');
  for (const fact of ['--pod shop/cart', '22', 'node-1.jsonl (20 records)', '02:16:31.000657708'])
    assert.ok(facts.includes(fact), `${fact} in ${facts}`);
  assert.deepEqual(await page.locator('#holes li > span').allTextContents(), [
    '‼ 1 loss: ring_buffer, 298 records lost',
    '⁇ 2 gaps: predates_hook',
    '⁇ 1 gap: lost',
    '… 1 cause not in this report',
    '‼ 3 lines skipped in node-1.jsonl',
    '‼ node-2: nothing from 02:20 to 02:31',
  ]);
});

test('many files are a list that expands, and each is found with the node of its records', async () => {
  const inputs = Array.from({ length: 50 }, (_, n) => ({
    path: `node-${n}.jsonl`,
    records: 1,
    skippedLines: 0,
  }));
  const records = inputs.map((_, n) => exec(n, { resource: { 'k8s.node.name': `node-${n}` } }));
  const page = await browser.open(inputOf(records, { generatedFrom: { inputs } }));
  assert.equal(await page.getByText('node-49.jsonl (1 record)').isVisible(), false);
  await page.getByText('50 files').click();
  assert.ok(await page.getByText('node-49.jsonl (1 record)').isVisible());
  await page.getByLabel('Search').fill('"k8s.node.name":"node-4"');
  assert.equal(await textOf(page, '#status'), '1 record of 50');
});

test('a report without records opens as well', async () => {
  const page = await browser.open(inputOf([]));
  assert.equal(await textOf(page, '#status'), '0 records');
  assert.equal(await textOf(page, '#holes'), 'None in these records.');
  assert.match(await textOf(page, '#details'), /No record is selected/);
});

test('the page shows gaps and losses in their lines, and records below their cause', async () => {
  const page = await browser.open(inputOf(RECORDS));
  const lines = await page.getByRole('treeitem').allTextContents();
  assert.equal(lines.length, RECORDS.length);
  assert.match(lines[0] ?? '', /bash.*⁇ predates_hook: sshd\[1\]/);
  assert.match(lines[19] ?? '', /‼ 298 records lost: ring_buffer, CPU 0, numbers 10 to 307/);
  assert.match(lines[20] ?? '', /^id.*⁇ lost/);
  assert.match(lines[21] ?? '', /cron -f.*its cause is not in this report: ffffffff-0000/);
  const miner = page.getByRole('treeitem', { name: '/tmp/miner -q' });
  assert.equal(await miner.getAttribute('aria-level'), '3');
  assert.match((await miner.textContent()) ?? '', /upper layer/);
});

test('a selected record shows its causes, its effects and every field', async () => {
  const notes = new Map([[6, ['exec by alice@example.com, 02:16:31.250']]]);
  const page = await browser.open(inputOf(RECORDS, { notes }));
  await page.getByRole('treeitem', { name: '/tmp/miner -q' }).click();
  const details = page.locator('#details');
  assert.deepEqual(await details.locator('ol li').allTextContents(), [
    '02:16:31.300  sh',
    '02:16:31.200  runc init',
    'gap: ⁇ predates_hook: shim[1]',
  ]);
  const text = (await details.textContent()) ?? '';
  assert.match(text, /12 records directly, 12 in all/);
  assert.match(text, /exec by alice@example\.com/);
  const fields = await details.locator('tr').allTextContents();
  for (const field of [`id${idOf(6)}`, 'timestamp1795400191950657708', 'k8s.pod.namecart-7d9f-x2x'])
    assert.ok(fields.includes(field), `${field} in ${fields.join('; ')}`);
  await details.getByRole('button', { name: 'runc init' }).click();
  assert.equal(await textOf(page, '#details h2'), 'runc init');
});

test('a search keeps the matches and their causes', async () => {
  const page = await browser.open(inputOf(RECORDS));
  await page.getByLabel('Search').fill('MINER -Q');
  assert.equal(await textOf(page, '#status'), '1 record of 22');
  assert.deepEqual(await commands(page), ['runc init', 'sh', '/tmp/miner -q']);
  assert.equal(await page.locator('.row.context').count(), 2);
  assert.equal(await textOf(page, '#details h2'), '/tmp/miner -q');
  await page.getByLabel('Search').fill('nothing like it');
  assert.deepEqual(await commands(page), []);
  assert.match(await textOf(page, '#details'), /No record is selected/);
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByText('22 records', { exact: true }).waitFor();
});

test('the page filters by place, user, executable and gap, and lists by time', async () => {
  const page = await browser.open(inputOf(RECORDS));
  const cases: readonly (readonly [label: string, value: string, found: number])[] = [
    ['Pod or node', 'shop/cart-7d9f-x2x', 16],
    ['Pod or node', 'node', 6],
    ['User', '1000', 3],
    ['User', '0', 19],
    ['Executable', '/usr/bin/sh', 2],
    ['Executable', '/TMP/', 1],
  ];
  for (const [label, value, found] of cases) {
    await page.locator('#filters').getByLabel(label).fill(value);
    assert.match(await textOf(page, '#status'), RegExp(`^${found} record`));
    await page.locator('#filters').getByLabel(label).fill('');
  }
  await page.getByLabel('Order').selectOption('time');
  await page.locator('#show').selectOption('missing');
  assert.deepEqual(await commands(page), ['bash', 'runc init', 'journal.loss', 'id']);
  await page.getByRole('button', { name: 'Show 1 gap: lost' }).click();
  assert.equal(await textOf(page, '#details h2'), 'id');
});

test('a link to a record that a filter hides shows the record', async () => {
  const page = await browser.open(inputOf(RECORDS));
  await page.getByLabel('Search').fill('curl');
  await page.getByRole('treeitem', { name: /^sh container/ }).click();
  await page.locator('#details').getByRole('button', { name: '/tmp/miner -q' }).click();
  assert.equal(await textOf(page, '#details h2'), '/tmp/miner -q');
  assert.equal(await page.getByLabel('Search').inputValue(), '');
  assert.equal(await textOf(page, '[aria-selected="true"] .command'), '/tmp/miner -q');
});

test('records collapse and expand', async () => {
  const page = await browser.open(inputOf(RECORDS));
  await page.getByRole('button', { name: 'Collapse all' }).click();
  assert.equal((await commands(page)).length, 5);
  await page
    .getByRole('treeitem', { name: /^runc init/ })
    .locator('.twisty')
    .click();
  assert.equal((await commands(page)).length, 6);
  await page.getByRole('button', { name: 'Expand all' }).click();
  assert.equal((await commands(page)).length, 22);
});

test('the timeline counts, zooms in by bar and by dragging, and zooms out', async () => {
  const page = await browser.open(inputOf([exec(0), exec(1, { ms: 600 }), exec(2, { ms: 6000 })]));
  const bars = page.locator('#bars button');
  assert.match((await bars.last().getAttribute('aria-label')) ?? '', /: 1 record, 1 gap$/);
  await bars.first().hover();
  await page.mouse.down();
  await bars.nth(20).hover();
  await page.mouse.up();
  assert.equal(await textOf(page, '#status'), '2 records of 3');
  await bars.first().click();
  assert.equal(await textOf(page, '#status'), '1 record of 3');
  await page.getByRole('button', { name: 'Zoom out' }).click();
  assert.equal(await textOf(page, '#status'), '2 records of 3');
  await page.getByRole('button', { name: 'Whole time' }).click();
  assert.equal(await textOf(page, '#status'), '3 records');
});
