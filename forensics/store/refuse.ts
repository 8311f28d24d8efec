import { ForensicsError } from '../errors.ts';
import type { Store } from './connect.ts';
import type { Layout } from './schema/statements.ts';
import { FINGERPRINT, SCHEMA_VERSION, versionOf } from './schema/version.ts';
import { expectedTables, readVersion, type State, type TableState } from './state.ts';

/** How many differences an error names. */
const NAMED_MAX = 5;

/** Refuses a database whose tables cannot become those of a store by new columns. */
export function refuseDifferences(state: State, layout: Layout): void {
  const { database } = layout;
  if (state.tables.get('records')?.columns.has('LogAttributes'))
    refuse(
      `${database}.records is the table of vcml-agent 0.1.0: rename it, run this again, and insert its rows into ${database}.otel (docs/fleet.md)`,
    );
  const { version } = state;
  if (version !== undefined && version.version !== SCHEMA_VERSION)
    refuse(
      `the store has schema ${version.version}, and this vcml knows schema ${SCHEMA_VERSION}: use the vcml that made it, or a newer one`,
    );
  const { layout: expected } = versionOf(layout);
  if (version !== undefined && version.layout !== expected)
    refuse(
      `the store was made for ${version.layout}, not for ${expected}: give --cluster and --replicated as they were then, or name another database`,
    );
  const all = [...expectedTables(layout)].flatMap(([name, table]) => {
    const found = state.tables.get(name);
    return found === undefined ? [] : differences(name, found, table);
  });
  if (all.length === 0) return;
  const named = all.slice(0, NAMED_MAX).join('; ');
  const more = all.length > NAMED_MAX ? `; and ${all.length - NAMED_MAX} more` : '';
  refuse(
    `the tables in ${database} are not those of this vcml: ${named}${more}. Use the vcml that made them, or name another database`,
  );
}

/** Refuses to read a store whose schema is not that of this program. */
export async function refuseOtherSchema(store: Store): Promise<void> {
  const { database } = store.address;
  const version = await readVersion(store, database);
  if (version === undefined)
    refuse(`there is no store in the database ${database}: create one with vcml store init`);
  if (version.version === SCHEMA_VERSION && version.fingerprint === FINGERPRINT) return;
  refuse(
    'the store has another schema than this vcml: upgrade it with vcml store init, or use the vcml that made it',
  );
}

function differences(name: string, found: TableState, expected: TableState): string[] {
  const all: string[] = [];
  if (found.engine !== expected.engine)
    all.push(`${name} has the engine ${found.engine}, not ${expected.engine}`);
  if (found.order !== expected.order)
    all.push(`${name} is ordered by (${found.order}), not by (${expected.order})`);
  for (const [column, type] of found.columns) {
    const wanted = expected.columns.get(column);
    if (wanted === undefined) all.push(`${name} has the unknown column ${column}`);
    else if (wanted !== type) all.push(`${name}.${column} is ${type}, not ${wanted}`);
  }
  return all;
}

function refuse(message: string): never {
  throw new ForensicsError('unreadable', message);
}
