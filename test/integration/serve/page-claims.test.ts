import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { ReportRecord } from '../../../forensics/report/render.ts';
import { NO_CLICKHOUSE } from '../../support/clickhouse/clickhouse.ts';
import { startStore } from '../../support/clickhouse/stored.ts';
import { exec, idOf } from '../../support/report/incident.ts';
import { onNode } from '../../support/serve/fleet.ts';
import { linesOf } from '../../support/serve/journal-of.ts';
import { Served, waitForText } from '../../support/serve/served.ts';

const CLAIMED = idOf(41);
const JOURNALS: Readonly<Record<string, readonly ReportRecord[]>> = {
  'aaa.jsonl': [onNode('aaa', exec(1, { id: CLAIMED, args: ['innocent'], ms: 10 }))],
  'forge.jsonl': [
    exec(1, { id: CLAIMED, args: ['x'], ms: 20 }),
    exec(2, { id: idOf(42), args: ['y'], ms: 30, cause: CLAIMED }),
  ].map((record) => onNode('forge', record)),
};

let served: Served;
before(async () => {
  served = await Served.start(JOURNALS);
});
after(async () => {
  await served.close();
  assert.deepEqual(served.misdeeds, []);
});

test('the details are those of the record in the list, though another node claims its id', async () => {
  await openEach(served);
});

test('so they are over a store', { skip: NO_CLICKHOUSE }, async (t) => {
  const store = await startStore(t);
  await store.insert(Object.values(JOURNALS).flatMap(linesOf));
  const fleet = await Served.overInputs(store.address, '--since', '2026-11-23');
  t.after(() => fleet.close());
  await openEach(fleet);
  assert.deepEqual(fleet.misdeeds, []);
});

async function openEach(from: Served): Promise<void> {
  const page = await from.open();
  await waitForText(page, '#list-status', /^3 records$/);
  for (const [command, node] of [
    ['innocent', 'aaa'],
    ['x', 'forge'],
    ['innocent', 'aaa'],
  ] as const) {
    await page.locator('#records .row', { has: page.getByText(command, { exact: true }) }).click();
    await waitForText(page, '#details h2', new RegExp(`^${command}$`));
    await isOn(page, node);
  }
  await page.locator('#records .row', { has: page.getByText('x', { exact: true }) }).click();
  await waitForText(page, '#details', /1 record directly/);
  await page.getByRole('link', { name: 'Tree of this record' }).click();
  await waitForText(page, '#tree-status', /^one record and its causes$/);
  const linked = await from.open(new URL(page.url()).hash);
  await waitForText(linked, '#details h2', /^x$/);
  await isOn(linked, 'forge');
  assert.deepEqual(await linked.locator('#causes .command').allTextContents(), ['x']);
  const unsure = await from.open(`#id=${CLAIMED}`);
  const places = 'on aaa at 2026-[^,]*, on forge at 2026-';
  await waitForText(unsure, '#problem', new RegExp(`more than one record has the id .*${places}`));
  assert.deepEqual(await unsure.locator('#records .command').allTextContents(), []);
  await from.refused(2);
}

async function isOn(page: Page, node: string): Promise<void> {
  const name = page.locator('#details tr', { has: page.getByText('host.name', { exact: true }) });
  assert.equal(await name.textContent(), `host.name${node}`);
}
