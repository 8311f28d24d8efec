import { equal, match } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { addAuditRows, createAuditTable } from '../../../support/clickhouse/audit-table.ts';
import { NO_CLICKHOUSE } from '../../../support/clickhouse/clickhouse.ts';
import { PASSWORD } from '../../../support/clickhouse/server-config.ts';
import { addressOf, type Stored, startStore } from '../../../support/clickhouse/stored.ts';
import { Folder, vcml, vcmlWith } from '../../../support/forensics.ts';

const options = { skip: NO_CLICKHOUSE };
const INPUTS = join(import.meta.dirname, '../cases/inputs');
/** An exec into a container, and a request for it, which a Collector may have read later. */
const EXEC = 'debcc1d2-7c8e-5ad4-9f13-9951cda3215f';
const JOURNAL = readFileSync(join(INPUTS, 'au.jsonl'), 'utf8').trimEnd().split('\n');
const EVENT = readFileSync(join(INPUTS, 'au-eventlist.log'), 'utf8').trimEnd();
const TIME = Number(/"timestamp":(\d+)\d{6},/.exec(JOURNAL.at(-1) ?? '')?.[1]);

test('an audit log in a table says what it says in a file', options, async (t) => {
  const { store, folder, table } = await setScene(t);
  await store.insert(JOURNAL);
  const journal = folder.journal('node/journal.jsonl', JOURNAL);
  for (const name of [
    'au-bom.log',
    'au-eventlist.log',
    'au-gke.log',
    'au-impersonated.log',
    'au-two-stages.log',
    'au-attach.log',
  ]) {
    const text = readFileSync(join(INPUTS, name), 'utf8').trimEnd();
    // A log that was rotated may be read twice, and a line may be cut anywhere.
    const lines = [text, text, text.slice(0, 200), text.slice(0, -9)].join('\n').split('\n');
    const file = folder.journal(`${name}.copy`, lines);
    await fill(store, lines);
    for (const command of [['chain', EXEC], ...(name === 'au-bom.log' ? [['tree', EXEC]] : [])]) {
      const expected = await vcml(...command, '--audit-log', file, journal);
      for (const input of [journal, store.address]) {
        const found = await vcml(...command, '--audit-log', table, input);
        equal(found.stdout, expected.stdout, `${name}: ${found.stderr}`);
        equal(found.code, 0);
      }
    }
  }
});

test(
  'rows that are no audit event are counted, and only around the records',
  options,
  async (t) => {
    const { store, folder, table } = await setScene(t);
    const journal = folder.journal('journal.jsonl', JOURNAL);
    const hostile = ['{torn', '\0\x1b[2J', `node-1 ${EVENT.slice(0, -4)}`, '', 'exec"'];
    await fill(store, [EVENT, ...hostile, '{"kind":"Event"}', 'node-1 {"kind":"Event"}']);
    await fill(store, hostile, TIME - 61_000, false);
    await fill(store, hostile, TIME + 3_700_000, false);
    const { code, stderr, stdout } = await vcml('chain', EXEC, '--audit-log', table, journal);
    equal(code, 0, stderr);
    match(stdout.replaceAll(/\s+/g, ' '), /candidate: pods\/exec by alice/);
    match(
      stderr,
      /audit\?table=kubernetes_audit: 1 pods\/exec request in 6 rows, 5 rows without an audit event/,
    );
  },
);

test('a row that a Collector read later is found', options, async (t) => {
  const { store, folder, table } = await setScene(t);
  const journal = folder.journal('journal.jsonl', JOURNAL);
  await fill(store, [EVENT], TIME + 3_500_000);
  const { stdout } = await vcml('chain', EXEC, '--audit-log', table, journal);
  match(stdout, /candidate: pods\/exec by alice/);
});

test('a report has the requests of a table', options, async (t) => {
  const { store, folder, table } = await setScene(t);
  await store.insert(JOURNAL);
  await fill(store, [EVENT]);
  const page = join(folder.path, 'report.html');
  const args = ['--since', '2001-01-01', '--audit-log', table, '-o', page, store.address];
  const { code, stderr } = await vcml('report', ...args);
  equal(code, 0, stderr);
  match(readFileSync(page, 'utf8'), /pods\/exec by alice/);
});

test('a table that cannot be an audit log is refused with a remedy', options, async (t) => {
  const { store, folder, table } = await setScene(t);
  const journal = folder.journal('journal.jsonl', JOURNAL);
  const [server] = store.servers;
  if (server === undefined) throw new Error('there is no server');
  const own = addressOf(server, 'reader').replace('/vcml', '/audit');
  for (const [address, code, says] of [
    [`${table}x`, 2, /no table audit\.kubernetes_auditx: name the table .* with \?table=NAME/],
    [table.replace('/audit', '/nowhere'), 2, /no table nowhere\.kubernetes_audit/],
    [`${store.address}?table=records`, 2, /vcml\.records is no table of the Collector/],
    [own, 2, /reader may not read audit\.kubernetes_audit: GRANT SELECT ON/],
    [`${table}&other=1`, 64, /has \?table=NAME and \?secure=true, not other/],
    [table.replace('@', ':secret@'), 64, /a password in the address of a store is visible/],
  ] as const) {
    const env = { VCML_STORE_PASSWORD: address === own ? PASSWORD : '' };
    const answer = await vcmlWith(env, 'chain', EXEC, '--audit-log', address, journal);
    equal(answer.code, code, answer.stderr);
    match(answer.stderr, says);
  }
  const asStore = await vcml('chain', EXEC, `${store.address}?table=records`);
  equal(asStore.code, 64);
  match(asStore.stderr, /the address of a store has \?secure=true, not table/);
});

interface Scene {
  readonly store: Stored;
  readonly folder: Folder;
  /** the address of the audit log's table */
  readonly table: string;
}

async function setScene(t: TestContext): Promise<Scene> {
  const store = await startStore(t);
  const folder = new Folder();
  t.after(() => folder.close());
  return { store, folder, table: await createAuditTable(store) };
}

/** Fills the table with the lines of a log. */
async function fill(store: Stored, lines: readonly string[], ms = TIME, isNew = true) {
  if (isNew) await store.query('TRUNCATE TABLE audit.kubernetes_audit');
  await addAuditRows(store, lines, ms);
}
