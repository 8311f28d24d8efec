import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ReportBrowser } from '../../support/report/browser.ts';
import { incident, inputOf } from '../../support/report/incident.ts';
import { violations } from '../../support/report/violations.ts';

let browser: ReportBrowser;
before(async () => {
  browser = await ReportBrowser.launch();
});
after(async () => {
  await browser.close();
  assert.deepEqual(browser.misdeeds, []);
});

const INPUT = inputOf(incident(), {
  generatedFrom: {
    inputs: [{ path: 'node-1.jsonl', records: 22, skippedLines: 3 }],
    warnings: ['node-1: nothing from 02:20 to 02:31'],
  },
  notes: new Map([[4, ['exec by alice@example.com']]]),
});

for (const colorScheme of ['light', 'dark'] as const)
  test(`axe finds nothing, ${colorScheme}: initially, with each record selected, filtered, empty`, async () => {
    const page = await browser.open(INPUT, { colorScheme });
    assert.deepEqual(await violations(page), []);
    for (const name of [/^sh container/, /^journal\.loss/, /^cron/]) {
      await page.getByRole('treeitem', { name }).first().click();
      assert.deepEqual(await violations(page), []);
    }
    await page.getByLabel('Search').fill('miner');
    await page.locator('[aria-selected="true"]').focus();
    assert.deepEqual(await violations(page), []);
    await page.getByLabel('Search').fill('nothing like it');
    assert.deepEqual(await violations(page), []);
  });

test('axe finds nothing on a narrow screen with forced colours and large text', async () => {
  const viewport = { width: 360, height: 640 };
  const page = await browser.open(INPUT, { viewport, forcedColors: 'active' });
  assert.deepEqual(await violations(page), []);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 360, `${width}`);
});

test('a screen reader gets a tree with levels, positions and states', async () => {
  const page = await browser.open(INPUT);
  await page.getByRole('button', { name: 'Collapse all' }).click();
  await page
    .getByRole('treeitem', { name: /^runc init/ })
    .locator('.twisty')
    .click();
  const told = await page.getByRole('treeitem').evaluateAll((items) =>
    items.map((item) => {
      const get = (state: string) => item.getAttribute(`aria-${state}`) ?? '';
      const name = item.querySelector('.command')?.textContent;
      return `${get('level')}: ${get('posinset')} of ${get('setsize')} ${get('expanded')} ${name}`;
    }),
  );
  assert.deepEqual(told, [
    '1: 1 of 5 false bash',
    '1: 2 of 5 true runc init',
    '2: 1 of 1 false sh',
    '1: 3 of 5  journal.loss',
    '1: 4 of 5  id',
    '1: 5 of 5  cron -f',
  ]);
  assert.match(
    await page.getByRole('tree').ariaSnapshot(),
    /runc init.*\[expanded\].*\[selected\]/,
  );
});
