import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { addAuditRows, createAuditTable } from '../../support/clickhouse/audit-table.ts';
import { NO_CLICKHOUSE } from '../../support/clickhouse/clickhouse.ts';
import { startStore } from '../../support/clickhouse/stored.ts';
import { textOf } from '../../support/report/browser.ts';
import { Served, waitForText } from '../../support/serve/served.ts';

const INPUTS = join(import.meta.dirname, '../forensics/cases/inputs');
const JOURNAL = join(INPUTS, 'au2.jsonl');
const TIME_MS = Date.parse('2025-11-24T16:16:39Z');

const lineIn = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n');

test('the page shows what an audit log in a table says, and what is wrong with the table', {
  skip: NO_CLICKHOUSE,
}, async (t) => {
  const store = await startStore(t);
  await store.insert(lineIn(JOURNAL));
  const table = await createAuditTable(store);
  await addAuditRows(store, [...lineIn(join(INPUTS, 'au2.log')), '{torn'], TIME_MS);
  for (const input of [[JOURNAL], [store.address, '--since', '2025-11-24']]) {
    const served = await Served.overInputs(...input, '--audit-log', table);
    t.after(() => served.close());
    const page = await served.open('#entry=exec');
    await waitForText(page, '#list-status', /^1 record$/);
    await waitForText(page, '#details h3', /^Notes$/);
    assert.match(await textOf(page, '#details'), /pods\/exec by alice/);
    assert.doesNotMatch(await textOf(page, '#details'), /MYSECRET/);
    assert.match(await textOf(page, '#facts'), /kubernetes_audit is asked about each record/);
    await page.getByRole('link', { name: 'Tree of this record' }).click();
    const row = page.locator('#causes [aria-selected="true"]');
    await row.filter({ hasText: 'noted' }).waitFor();
    await store.query('RENAME TABLE audit.kubernetes_audit TO audit.gone');
    const other = await served.open('#action=exec');
    await waitForText(
      other,
      '#problem',
      /there is no table audit\.kubernetes_audit: name the table/,
    );
    await store.query('RENAME TABLE audit.gone TO audit.kubernetes_audit');
    await other.getByRole('button', { name: 'Try again' }).click();
    await waitForText(other, '#details h3', /^Notes$/);
    assert.match(`${served.takeRefusals()}`, /502/);
    assert.deepEqual(served.misdeeds, []);
  }
});
