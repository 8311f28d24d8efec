import type { Store } from './connect.ts';
import { EXPORTER_COLUMNS } from './schema/exporter-columns.ts';
import { FRONT, type Layout, storedName } from './schema/statements.ts';
import { TABLES } from './schema/tables.ts';
import { VERSION_VIEW, type Version } from './schema/version.ts';

/** A table as a server has it, or as it should be. */
export interface TableState {
  readonly engine: string;
  /** as the server writes it; empty where rows have no order */
  readonly order: string;
  /** the type of each column, with `ALIAS` before it where it is computed */
  readonly columns: ReadonlyMap<string, string>;
  /** the names of indexes and projections */
  readonly indexes: ReadonlySet<string>;
}

/** What is in the database of a store. */
export interface State {
  /** undefined: nothing says which schema it has */
  readonly version: Version | undefined;
  readonly tables: ReadonlyMap<string, TableState>;
  /** the names of views that fill tables */
  readonly views: ReadonlySet<string>;
}

/** Reads what is in the database of a store. */
export async function readState(store: Store, database: string): Promise<State> {
  const parameters = { database };
  const tables = await store.rows<{
    name: string;
    engine: string;
    sorting_key: string;
    created: string;
  }>(
    `SELECT name, engine, sorting_key, create_table_query AS created FROM system.tables
     WHERE database = {database:String}`,
    parameters,
  );
  const columns = await store.rows<{ table: string; name: string; type: string; kind: string }>(
    `SELECT table, name, type, default_kind AS kind FROM system.columns
     WHERE database = {database:String} ORDER BY table, position`,
    parameters,
  );
  const isView = ({ engine }: { engine: string }) => engine.endsWith('View');
  return {
    version: await readVersion(store, database),
    tables: new Map(
      tables
        .filter((table) => !isView(table))
        .map(({ name, engine, sorting_key, created }) => [
          name,
          {
            indexes: indexesIn(created),
            // With replicas, it is the same engine with another name.
            engine: engine.replace(/^(Replicated|Shared)/, ''),
            order: sorting_key,
            columns: new Map(
              columns
                .filter(({ table }) => table === name)
                .map((column) => [column.name, typeText(column.type, column.kind === 'ALIAS')]),
            ),
          },
        ]),
    ),
    views: new Set(tables.filter(isView).map(({ name }) => name)),
  };
}

/** Reads what a store says about its schema; undefined: nothing. */
export async function readVersion(store: Store, database: string): Promise<Version | undefined> {
  const parameters = { database, view: VERSION_VIEW };
  const views = await store.rows(
    'SELECT 1 FROM system.tables WHERE database = {database:String} AND name = {view:String}',
    parameters,
  );
  if (views.length === 0) return undefined;
  const [found] = await store.rows<Version>(
    'SELECT version, fingerprint, layout FROM {database:Identifier}.{view:Identifier}',
    parameters,
  );
  return found;
}

/** Returns the tables of a store as they should be. */
export function expectedTables(layout: Layout): ReadonlyMap<string, TableState> {
  const expected = new Map<string, TableState>([
    [
      FRONT,
      { engine: 'Null', order: '', columns: columnsOf(EXPORTER_COLUMNS), indexes: new Set() },
    ],
  ]);
  for (const { name, engine, order, columns, indexes } of TABLES) {
    const state = {
      engine: engine[0],
      order: order.join(', '),
      columns: columnsOf(columns),
      indexes: new Set(indexes.map((one) => one.name)),
    };
    expected.set(storedName(layout, name), state);
    if (layout.cluster !== undefined)
      expected.set(name, { ...state, engine: 'Distributed', order: '', indexes: new Set() });
  }
  return expected;
}

/** Reads the names from a statement as the server writes it, on one line. */
function indexesIn(created: string): ReadonlySet<string> {
  const found = created.matchAll(/, (?:INDEX|PROJECTION) `?(\w+)`? /g);
  return new Set(Array.from(found, ([, name = '']) => name));
}

function columnsOf(
  columns: readonly { readonly name: string; readonly type: string; readonly alias?: string }[],
): ReadonlyMap<string, string> {
  return new Map(
    columns.map(({ name, type, alias }) => [name, typeText(type, alias !== undefined)]),
  );
}

function typeText(type: string, isAlias: boolean): string {
  return isAlias ? `ALIAS ${type}` : type;
}
