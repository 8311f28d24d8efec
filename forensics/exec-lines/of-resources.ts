import type { DuckDBConnection } from '@duckdb/node-api';
import { listValue } from '@duckdb/node-api';
import { literal } from '../columns.ts';
import type { RawColumn } from './append.ts';

/**
 * Computes columns that follow from the resource alone: DuckDB evaluates the expression once for each
 * resource, and every row that points to it has its value.
 */
export class OfResources {
  readonly #connection: DuckDBConnection;
  readonly #select: string;
  /** the values of each resource in the order of the expressions; null: there is none */
  readonly #known = new Map<string, readonly (bigint | null)[]>();

  /** `expressions` are SQL over the struct `resource` with these keys, and return a UBIGINT. */
  constructor(
    connection: DuckDBConnection,
    expressions: readonly string[],
    keys: readonly string[],
  ) {
    const structure = JSON.stringify(Object.fromEntries(keys.map((key) => [key, 'VARCHAR'])));
    this.#connection = connection;
    this.#select = `SELECT ${expressions.join(', ')} FROM (
      SELECT json_transform(line, ${literal(structure)}) AS resource
      FROM (SELECT unnest($1::VARCHAR[]) AS line))`;
  }

  /** Returns the column of each expression for rows that point into `resources`. */
  async columns(
    resources: readonly string[],
    places: ArrayBuffer,
    rows: number,
  ): Promise<RawColumn[]> {
    await this.#learn(resources);
    const all = resources.map((one) => this.#known.get(one) ?? []);
    const count = all[0]?.length ?? 0;
    return Array.from({ length: count }, (_, column) =>
      spread(
        all.map((values) => values[column] ?? null),
        new Int32Array(places),
        rows,
      ),
    );
  }

  async #learn(resources: readonly string[]): Promise<void> {
    const unknown = resources.filter((one) => !this.#known.has(one));
    if (unknown.length === 0) return;
    const found = await this.#connection.runAndReadAll(this.#select, [listValue(unknown)]);
    for (const [index, values] of found.getRows().entries())
      this.#known.set(unknown[index] ?? '', values as (bigint | null)[]);
  }
}

function spread(values: readonly (bigint | null)[], places: Int32Array, rows: number): RawColumn {
  const words = new Uint32Array(BigUint64Array.from(values, (value) => value ?? 0n).buffer);
  const bytes = new Uint32Array(2 * rows);
  const has = new Uint8Array(rows);
  const isThere = Uint8Array.from(values, (value) => Number(value !== null));
  for (let row = 0; row < rows; row++) {
    const place = places[row] as number;
    bytes[2 * row] = words[2 * place] as number;
    bytes[2 * row + 1] = words[2 * place + 1] as number;
    has[row] = isThere[place] as number;
  }
  return { bytes: bytes.buffer, width: 8, has: has.buffer };
}
