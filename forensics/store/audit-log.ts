import type { StoredRecord } from '../../record/read.ts';
import { ForensicsError } from '../errors.ts';
import { parseEvents } from '../exec-requests/audit-events.ts';
import { type Found, Requests } from '../exec-requests/requests.ts';
import { claimedIdOf } from '../exec-requests/verdict.ts';
import { type Window, windowsOf } from '../exec-requests/windows.ts';
import { parseAddress } from './address.ts';
import { inParts } from './answer/fetch.ts';
import { type ConnectionOptions, connectTo, type Store } from './connect.ts';
import { literal, tableOf } from './schema/literal.ts';

/** The table that deploy/collector/kubernetes-audit.yaml fills. */
const TABLE = 'kubernetes_audit';
/** The time of a row may be that at which a collector read the line, so much later. */
const LATE_NS = 3_600_000_000_000n;
/** The ids that records claim are looked for so much earlier and later: a request out of time contradicts. */
const ID_NS = 86_400_000_000_000n;
/** The engine looks for at most 255 texts at once. */
const IDS_AT_ONCE = 200;
/** An id that stands in a row as it is, whatever wraps the event. */
const PLAIN_ID = /^[\w.:-]{1,128}$/;
/** Events of `pods/exec` are small and few; an hour with more is not for one answer. */
const ROWS_MAX = 100_000;
const TEXT_MAX = 256 << 20;
/** In any wrapper, also as text within JSON, and in Google's Cloud Audit Logs. */
const IS_EXEC = String.raw`subresource\\*"\s*:\s*\\*"exec\\*"|pods\.exec\.|/proxy/+(exec|run)/`;
/** What may stand before the JSON of a line. */
const PREFIX = '^[^{["]{1,300}';

/**
 * Asks a table of ClickHouse, as the Collector's exporter fills it, for the `pods/exec` requests that may
 * be behind records.
 */
export async function requestsInTable(
  text: string,
  records: readonly StoredRecord[],
  options: ConnectionOptions,
): Promise<Found> {
  const address = parseAddress(text, true);
  const { table = TABLE } = address;
  await using store = connectTo(address, options);
  await refuseOtherTable(store, table);
  const shown = `${address.url.replace(/^https?/, 'clickhouse')}/${address.database}?table=${table}`;
  const found = new Requests();
  const read = { rows: 0, bytes: 0 };
  for (const query of queriesFor(store, table, records))
    for await (const rows of store.stream<{ readonly event: string }>(query))
      for (const { event } of rows) {
        read.rows += 1;
        read.bytes += event.length;
        if (read.rows > ROWS_MAX || read.bytes > TEXT_MAX) throw tooMuch(shown);
        found.take(event === '' ? undefined : parseEvents(event));
      }
  return found.finish(shown, 'row', read.rows);
}

function* queriesFor(
  store: Store,
  table: string,
  records: readonly StoredRecord[],
): Generator<string> {
  const windows = windowsOf(records, LATE_NS);
  for (const some of inParts(windows, 500)) yield select(store, table, some);
  const claimed = new Set(records.map((record) => claimedIdOf(record) ?? ''));
  const ids = [...claimed].filter((id) => PLAIN_ID.test(id));
  // A row that both found would count twice.
  const times = `${within(windowsOf(records, LATE_NS, ID_NS))} AND NOT ${within(windows)}`;
  for (const some of inParts(ids, IDS_AT_ONCE))
    yield `SELECT Body AS event FROM ${tableOf(store, table)}
      WHERE ${times} AND match(Body, ${literal(IS_EXEC)})
        AND multiSearchAny(Body, [${some.map(literal).join(', ')}])
      LIMIT ${ROWS_MAX + 1}`;
}

/**
 * Selects the events of `pods/exec`, whole, and nothing of each row that is no JSON, because that may be
 * a part of one.
 */
function select(store: Store, table: string, windows: readonly Window[]): string {
  const isExec = `match(Body, ${literal(IS_EXEC)})`;
  const isJson = `isValidJSON(Body) OR isValidJSON(replaceRegexpOne(Body, ${literal(PREFIX)}, ''))`;
  return `SELECT if(${isExec}, Body, '') AS event FROM ${tableOf(store, table)}
    WHERE ${within(windows)} AND (${isExec} OR NOT (${isJson}))
    LIMIT ${ROWS_MAX + 1}`;
}

function within(windows: readonly Window[]): string {
  const times = windows.map(({ first, last }) => `Timestamp BETWEEN ${at(first)} AND ${at(last)}`);
  return `(${times.join(' OR ')})`;
}

function at(nanoseconds: bigint): string {
  return `fromUnixTimestamp64Nano(${nanoseconds})`;
}

/** Refuses a table that is not there, may not be read, or is not one of the Collector's exporter. */
async function refuseOtherTable(store: Store, table: string): Promise<void> {
  const { user, database } = store.address;
  const name = `${database}.${table}`;
  const columns = await columnsOf(store, table).catch((error: Error) => {
    const { type } = (error.cause ?? {}) as { type?: string };
    if (type === 'UNKNOWN_TABLE' || type === 'UNKNOWN_DATABASE')
      throw refusal(
        `there is no table ${name}: name the table of the audit log with ?table=NAME, or fill one with deploy/collector/kubernetes-audit.yaml`,
      );
    if (type === 'ACCESS_DENIED')
      throw refusal(`${user} may not read ${name}: GRANT SELECT ON ${name} TO ${user}`);
    throw error;
  });
  for (const [column, type] of [
    ['Timestamp', 'DateTime64(9)'],
    ['Body', 'String'],
  ] as const)
    if (columns.get(column) !== type)
      throw refusal(
        `${name} is no table of the Collector\u2019s ClickHouse exporter, because it has no column ${column} ${type}: name another one with ?table=NAME`,
      );
}

async function columnsOf(store: Store, table: string): Promise<Map<string, string>> {
  const rows = await store.rows<{ name: string; type: string }>(
    `DESCRIBE TABLE ${tableOf(store, table)}`,
  );
  return new Map(
    rows.map(({ name, type }) => [name, type.replace(/^DateTime64\(9,.*/, 'DateTime64(9)')]),
  );
}

function refusal(message: string): ForensicsError {
  return new ForensicsError('unreadable', message);
}

function tooMuch(shown: string): ForensicsError {
  return new ForensicsError(
    'usage',
    `${shown} has more than ${ROWS_MAX} rows, or 256 MiB, about pods/exec around these records: ask about fewer records, or a shorter time`,
  );
}
