import {
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { type Json, writeExact } from '../../record/exact-json.ts';
import { visible, visibleJson } from '../../record/visible.ts';
import { csvLine } from './csv.ts';
import type { Form } from './form.ts';
import { print, width } from './stdout.ts';

/** A table of values with the names of its columns. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: Iterable<readonly Json[]>;
}

/** Prints a table: aligned for people, as JSON objects, or as CSV with a line of names. */
export async function printTable({ columns, rows }: Table, form: Form): Promise<void> {
  if (form === 'text') return printAligned(columns, [...rows]);
  if (form === 'csv') {
    await print(csvLine(columns.map(visible)));
    for (const row of rows) await print(csvLine(row.map(flat)));
    return;
  }
  let first = true;
  for (const row of rows) {
    const object = Object.fromEntries(row.map((value, i) => [columns[i] ?? '', value]));
    await print(`${form === 'jsonl' ? '' : first ? '[\n' : ',\n'}${jsonLine(object)}`);
    if (form === 'jsonl') await print('\n');
    first = false;
  }
  if (form === 'json') await print(first ? '[]\n' : '\n]\n');
}

/** Returns a value as one line of JSON that is safe to show. */
export function jsonLine(value: Json): string {
  return visibleJson(writeExact(value));
}

function flat(value: Json): string | number | bigint | boolean | null {
  if (typeof value === 'string') return visible(value);
  return typeof value === 'object' && value !== null ? jsonLine(value) : value;
}

async function printAligned(columns: readonly string[], rows: readonly (readonly Json[])[]) {
  const cells = rows.map((row) => row.map((value) => String(flat(value) ?? '')));
  const numeric = columns.map((_, i) => rows.every((row) => /number|bigint/.test(typeof row[i])));
  const widths = columns.map((name, i) =>
    Math.max(visible(name).length, ...cells.map((row) => row[i]?.length ?? 0)),
  );
  const room = Math.max(20, width());
  for (const row of [columns.map(visible), ...cells]) {
    const line = row.map((cell, i) =>
      numeric[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
    );
    const text = line.join('  ').trimEnd();
    await print(`${text.length > room ? `${text.slice(0, room - 1)}…` : text}\n`);
  }
}

/** Turns a value of DuckDB into JSON; times and similar types become text. */
export function jsonOf(value: DuckDBValue): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return value;
  if (value instanceof DuckDBListValue) return value.items.map(jsonOf);
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(
      Object.entries(value.entries).map(([key, one]) => [key, jsonOf(one)]),
    );
  if (value instanceof DuckDBMapValue)
    return Object.fromEntries(
      value.entries.map(({ key, value: one }) => [String(key), jsonOf(one)]),
    );
  return String(value);
}
