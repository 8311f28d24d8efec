import { ForensicsError } from '../errors.ts';
import type { Store } from './connect.ts';
import { type Keeping, keepingChange } from './keeping.ts';
import { refuseDifferences } from './refuse.ts';
import { EXPORTER_COLUMNS } from './schema/exporter-columns.ts';
import { identifier } from './schema/literal.ts';
import {
  definition,
  FRONT,
  type Layout,
  nameOf,
  onCluster,
  type Statement,
  statements,
  storedName,
  viewQueries,
} from './schema/statements.ts';
import { TABLES } from './schema/tables.ts';
import { versionOf, versionStatement } from './schema/version.ts';
import { expectedTables, readState, type State } from './state.ts';

/** Creates a store, or upgrades one that is there. Returns a sentence for each change. */
export async function initStore(store: Store, layout: Layout, keeping: Keeping): Promise<string[]> {
  const state = await readState(store, layout.database);
  refuseDifferences(state, layout);
  const change = await keepingChange(store, layout, keeping);
  const done: string[] = [];
  await createMissing(store, layout, state, ['database', 'table'], done);
  await addColumns(store, layout, state, done);
  await addIndexes(store, layout, state, done);
  await createMissing(store, layout, state, ['view'], done);
  const { fingerprint } = versionOf(layout);
  if (state.version?.fingerprint !== fingerprint) {
    await changeViews(store, layout, state, done);
    await store.run(versionStatement(layout).sql);
  }
  if (change !== undefined) {
    await store.run(change.sql);
    done.push(change.sentence);
  }
  await verify(store, layout);
  return done;
}

async function createMissing(
  store: Store,
  layout: Layout,
  state: State,
  kinds: readonly Statement['kind'][],
  done: string[],
) {
  const isThere = new Set([...state.tables.keys(), ...state.views]);
  for (const { kind, name, sql } of statements(layout)) {
    if (!kinds.includes(kind)) continue;
    // Who may not create a database may still fill one that is there.
    if (kind === 'database' ? isThere.size > 0 : isThere.has(name)) continue;
    await store.run(sql);
    done.push(`created the ${kind} ${name}`);
  }
}

/** New columns come before the views that fill them. */
async function addColumns(store: Store, layout: Layout, state: State, done: string[]) {
  for (const [name, columns] of [
    ...TABLES.flatMap((table) =>
      [...new Set([storedName(layout, table.name), table.name])].map(
        (each) => [each, table.columns] as const,
      ),
    ),
    [FRONT, EXPORTER_COLUMNS] as const,
  ]) {
    const found = state.tables.get(name)?.columns;
    if (found === undefined) continue;
    for (const [index, column] of columns.entries()) {
      if (found.has(column.name)) continue;
      const before = columns[index - 1];
      const where = before === undefined ? 'FIRST' : `AFTER ${identifier(before.name)}`;
      await store.run(
        `ALTER TABLE ${nameOf(layout, name)}${onCluster(layout)} ADD COLUMN IF NOT EXISTS ${definition(column)} ${where}`,
      );
      done.push(`added the column ${column.name} to ${name}`);
    }
  }
}

/** What is inserted from now on has them; older rows answer without. */
async function addIndexes(store: Store, layout: Layout, state: State, done: string[]) {
  for (const { name, indexes, settings } of TABLES) {
    const stored = storedName(layout, name);
    const found = state.tables.get(stored)?.indexes;
    const missing = found === undefined ? [] : indexes.filter((one) => !found.has(one.name));
    const alter = `ALTER TABLE ${nameOf(layout, stored)}${onCluster(layout)}`;
    if (missing.length > 0 && settings !== undefined)
      await store.run(`${alter} MODIFY SETTING ${settings}`);
    for (const { kind, name: index, sql } of missing) {
      await store.run(`${alter} ADD ${kind} IF NOT EXISTS ${index} ${sql}`);
      done.push(`added the ${kind.toLowerCase()} ${index} to ${stored}`);
    }
  }
}

/** A view changes in one step: without it, rows would be lost. */
async function changeViews(store: Store, layout: Layout, { views }: State, done: string[]) {
  for (const { name, sql } of viewQueries(layout)) {
    if (!views.has(name)) continue;
    await store.run(`ALTER TABLE ${nameOf(layout, name)}${onCluster(layout)} MODIFY QUERY ${sql}`);
    done.push(`changed the view ${name}`);
  }
}

/** Reads the store again: what statements did is not taken for granted. */
async function verify(store: Store, layout: Layout): Promise<void> {
  const state = await readState(store, layout.database);
  refuseDifferences(state, layout);
  const missing = [...expectedTables(layout).keys()].filter((name) => !state.tables.has(name));
  if (missing.length === 0 && state.version !== undefined) return;
  throw new ForensicsError('unreadable', `the store lacks ${missing.join(', ') || 'its version'}`);
}
