import { type Json, parseExact } from '../../../record/exact-json.ts';
import type { Answer, Tables } from '../../select/tables.ts';
import type { Store } from '../connect.ts';
import { literal, tableOf } from '../schema/literal.ts';

/** Returns the records of a store for which a condition holds, each once. */
export function tablesOf(store: Store, condition: string): Tables {
  return {
    records: `(SELECT * FROM ${tableOf(store, 'records')} FINAL WHERE ${condition})`,
    dialect: {
      time: (nanoseconds) => `fromUnixTimestamp64Nano(${nanoseconds}, 'UTC')`,
      wide: (column) => `toInt128(${column})`,
      divided: (wide, by) => `toInt64(intDiv(${wide}, ${by}))`,
      before: (column) => `lagInFrame(toNullable(${column}))`,
      earliest: (value) => `argMin(${value}, "timestamp")`,
      text: (value) => `toString(${value})`,
      literal,
      join: 'GLOBAL INNER JOIN',
    },
    async ask(sql) {
      return answerIn(await store.text(sql, 'JSONCompactEachRowWithNamesAndTypes'));
    },
  };
}

/** Reads lines of names, types and rows. */
function answerIn(text: string): Answer {
  const [names = [], types = [], ...rows] = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parseExact(line) as unknown as Json[]);
  const areTimes = types.map((type) => /DateTime64/.test(String(type)));
  return {
    columns: names.map(String),
    rows: rows.map((row) => row.map((value, at) => (areTimes[at] ? withoutZeros(value) : value))),
  };
}

/** Writes a time as DuckDB does: without zeros at its end. */
function withoutZeros(time: Json): Json {
  return typeof time === 'string' ? time.replace(/\.?0{1,9}$/, '') : time;
}
