import type { Key } from '../../../record/fields.ts';
import { nodeOf } from '../../../record/node.ts';
import type { Packed } from '../packed.ts';
import { fullTime, nanosecondsFrom } from './text.ts';

/** The records of the page, by their place in the report. */
export interface Records {
  readonly count: number;
  notesOf(record: number): readonly string[];
  /** the place of each record's cause; -1: the report does not have it */
  readonly causes: Int32Array;
  hasCause(record: number): boolean;
  readonly whole: string;
  /** nanoseconds since the first record; NaN: it has no time */
  readonly times: Float64Array;
  /** the latest of the times */
  readonly duration: number;
  /** the time in UTC, so many nanoseconds after the first record */
  timeText(nanoseconds: number): string;
  /** the value of a field; undefined: the record does not have it */
  get(record: number, field: string): unknown;
  /** the value of an attribute */
  attribute(record: number, key: Key): unknown;
  fields(record: number): readonly (readonly [name: string, value: unknown])[];
}

/** Unpacks the records that pack.ts packed. */
export function unpackRecords({
  shapes,
  values,
  rows,
  notes,
}: Pick<Packed, 'shapes' | 'values' | 'rows' | 'notes'>): Records {
  const places = shapes.map((names) => new Map(names.map((name, index) => [name, index + 1])));

  /** The number of a field's value, which is equal for equal values; undefined: there is none. */
  function numberOf(record: number, field: string): number | undefined {
    const row = rows[record];
    const place = places[row?.[0] ?? -1]?.get(field);
    return place === undefined ? undefined : row?.[place];
  }

  function get(record: number, field: string): unknown {
    const value = numberOf(record, field);
    return value === undefined ? undefined : values[value];
  }

  function fields(record: number): readonly (readonly [string, unknown])[] {
    const row = rows[record] ?? [];
    return (shapes[row[0] ?? -1] ?? []).map((name, index) => [name, values[row[index + 1] ?? -1]]);
  }

  const count = rows.length;
  const causes = causesOf(count, values, numberOf);
  const noted = new Map(notes);
  return {
    count,
    notesOf: (record) => noted.get(record) ?? [],
    causes,
    hasCause: (record) => (causes[record] ?? -1) >= 0,
    whole: 'this report',
    ...timesOf(count, get),
    get,
    attribute: (record, key) => get(record, `attributes.${key}`),
    fields,
  };
}

/** Finds causes by their ids, on the node of the record. */
function causesOf(
  count: number,
  values: readonly unknown[],
  numberOf: (record: number, field: string) => number | undefined,
): Int32Array {
  const nodes = new Map<number | undefined, string>();
  const nodeAt = (record: number): string => {
    const resource = numberOf(record, 'resource');
    const value: unknown = values[resource ?? -1];
    const isObject = typeof value === 'object' && value !== null;
    const node =
      nodes.get(resource) ??
      (isObject ? nodeOf(value as Readonly<Record<string, unknown>>) : undefined) ??
      '';
    nodes.set(resource, node);
    return node;
  };
  const recordOf = new Map<string, number>();
  for (let record = count - 1; record >= 0; record--)
    recordOf.set(`${numberOf(record, 'id')} ${nodeAt(record)}`, record);
  return Int32Array.from({ length: count }, (_, record) => {
    const cause = numberOf(record, 'parent_cause');
    if (typeof values[cause ?? -1] !== 'string') return -1;
    return recordOf.get(`${cause} ${nodeAt(record)}`) ?? -1;
  });
}

function timesOf(
  count: number,
  get: Records['get'],
): Pick<Records, 'times' | 'duration' | 'timeText'> {
  const exact = Array.from({ length: count }, (_, record) =>
    nanosecondsFrom(get(record, 'timestamp')),
  );
  let start: bigint | undefined;
  for (const time of exact)
    if (time !== undefined && (start === undefined || time < start)) start = time;
  const first = start ?? 0n;
  const times = Float64Array.from(exact, (time) =>
    time === undefined ? Number.NaN : Number(time - first),
  );
  return {
    times,
    duration: times.reduce((latest, time) => Math.max(latest, time || 0), 0),
    timeText: (nanoseconds) => fullTime(first + BigInt(Math.round(nanoseconds))),
  };
}
