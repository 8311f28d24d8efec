import type { StoredRecord } from '../../record/read.ts';
import type { Packed } from './packed.ts';

/** Objects whose members become fields; the resource stays one field, because few are distinct. */
const OPENED = new Set(['actor', 'attributes']);

/**
 * The depth that is kept. Records have two levels; deeper values could exhaust a JSON reader's
 * stack.
 */
const DEPTH_MAX = 64;

/** Returns a record as it is packed, with its exact time. */
export function reported({ json, id, timestamp = 0n }: StoredRecord): Record<string, unknown> {
  return { ...json, id, timestamp };
}

/**
 * Packs records: every distinct value and list of fields is written once, for a third of the size.
 */
export function packRecords(
  records: Iterable<Readonly<Record<string, unknown>>>,
): Pick<Packed, 'shapes' | 'values' | 'rows'> {
  const values = new Pool<unknown>();
  const shapes = new Pool<readonly string[]>();
  const rows: number[][] = [];
  for (const record of records) {
    const names: string[] = [];
    const row = [0];
    for (const [name, value] of fieldsOf(record)) {
      if (value === undefined) continue;
      names.push(name);
      row.push(values.indexOf(writable(value)));
    }
    row[0] = shapes.indexOf(names);
    rows.push(row);
  }
  return { shapes: shapes.items, values: values.items, rows };
}

function* fieldsOf(record: Readonly<Record<string, unknown>>): Iterable<[string, unknown]> {
  for (const [name, value] of Object.entries(record)) {
    if (!OPENED.has(name) || !isObject(value)) yield [name, value];
    else for (const [member, inner] of Object.entries(value)) yield [`${name}.${member}`, inner];
  }
}

/** Makes a value one that JSON can hold and that is not too deep. */
function writable(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}`;
  return isDeeper(value, DEPTH_MAX) ? `nested more than ${DEPTH_MAX} deep` : value;
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A pool of distinct items with numbers; objects are equal if their JSON is equal. */
class Pool<Item> {
  readonly items: Item[] = [];
  readonly #plain = new Map<unknown, number>();
  readonly #objects = new Map<string, number>();

  indexOf(item: Item): number {
    return typeof item === 'object' && item !== null
      ? this.#place(this.#objects, JSON.stringify(item, plainNumbers), item)
      : this.#place(this.#plain, item, item);
  }

  #place<Key>(places: Map<Key, number>, key: Key, item: Item): number {
    const known = places.get(key);
    if (known !== undefined) return known;
    places.set(key, this.items.length);
    return this.items.push(item) - 1;
  }
}

/** A replacer for JSON, which has no bigint: it writes decimal strings. */
export function plainNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}
