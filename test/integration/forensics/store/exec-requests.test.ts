import { equal, match } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { addAuditRows, createAuditTable } from '../../../support/clickhouse/audit-table.ts';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { startStore } from '../../../support/clickhouse/stored.ts';
import { Folder, remarksIn, vcml } from '../../../support/forensics.ts';
import { event } from '../exec-requests/scene.ts';
import { AUDIT_LOG, JOURNAL, OF_ALICE } from '../exec-requests/sessions.ts';

const options = { skip: NO_CLICKHOUSE };
/** When the requests of the sessions arrived. */
const TIME = Date.parse(JSON.parse(AUDIT_LOG[0] ?? '').requestReceivedTimestamp);

test('a store and a table say of sessions what files say', options, async (t) => {
  const store = await startStore(t);
  const folder = new Folder();
  t.after(() => folder.close());
  const table = await createAuditTable(store);
  await store.insert(JOURNAL);
  const journal = folder.journal('node/journal.jsonl', JOURNAL);
  // Out of time, and hours later.
  const late = event({ id: 'id-unknown', seconds: 7200 });
  const log = folder.journal('audit.log', [...AUDIT_LOG, late]);
  await addAuditRows(store, AUDIT_LOG, TIME);
  await addAuditRows(store, [late], TIME + 7_200_000);
  const since = ['--since', '2025-11-24T16:16:40.000000020Z'];
  // Between two entries without an id.
  const later = ['--since', '2025-11-24T16:16:40.000000057Z'];
  for (const command of [
    ['chain', OF_ALICE[1] ?? ''],
    ['tree', OF_ALICE[0] ?? ''],
    ['query', '--since', '2001-01-01'],
    ['query', '--kubernetes-user', 'alice', ...since],
    ['query', '--kubernetes-user', 'alice', ...later, '--pod', 'shop/cart-*', '--output', 'csv'],
    ['query', '--kubernetes-user', 'bob', '--since', '2001-01-01', '--node', 'node'],
    ['tree', '--kubernetes-user', 'alice', '--since', '2001-01-01'],
    ['tree', '--kubernetes-user', 'alice', '--since', '2001-01-01', '--until', '2025-11-24'],
    ['tree', '--kubernetes-user', 'alice', '--id', OF_ALICE[0] ?? ''],
  ]) {
    const expected = await vcml(...command, '--audit-log', log, journal);
    for (const [input, asked] of [
      [journal, table],
      [store.address, log],
      [store.address, table],
    ] as const) {
      const found = await vcml(...command, '--audit-log', asked, input);
      const what = `${command.join(' ')} of ${input} with ${asked}: ${found.stderr}`;
      equal(found.stdout, expected.stdout, what);
      equal(found.code, expected.code, what);
      if (!command.includes('--until') && !command.includes('--id'))
        equal(noteIn(found.stderr), noteIn(expected.stderr), what);
    }
  }
  const page = join(folder.path, 'report.md');
  const asked = ['--kubernetes-user', 'alice', ...since, '--audit-log', table];
  const { code, stderr } = await vcml('report', ...asked, '--markdown', '-o', page, store.address);
  equal(code, 0, stderr);
  for (const id of OF_ALICE) match(readFileSync(page, 'utf8'), new RegExp(id.slice(0, 8)));
});

/** The note about the sessions of a user. */
function noteIn(stderr: string): string {
  return /--kubernetes-user .*/.exec(remarksIn(stderr))?.[0] ?? '';
}
