import type { Json, JsonObject } from '../../record/exact-json.ts';
import { merged, type Range } from '../ranges.ts';
import type { Finding } from './finding.ts';
import type { JournalRecord } from './journal-records.ts';
import { isNameOf } from './names.ts';

const RANGES_MAX = 64;

/** Numbers that a `journal.withheld` names. */
interface WithheldRanges {
  readonly row: number;
  /** `boot/hook/cpu` */
  readonly key: string;
  readonly ranges: readonly Range[];
}

/** What rules kept back from the export, as the records about it say. */
export interface Withheld {
  readonly findings: readonly Finding[];
  readonly records: readonly WithheldRanges[];
  /** all numbers by `boot/hook/cpu`, merged: a repeat may cut them differently */
  readonly byCpu: ReadonlyMap<string, readonly Range[]>;
}

/** Reads the records `journal.withheld`, and finds those that contradict themselves. */
export function withheldIn(journalRecords: readonly JournalRecord[]): Withheld {
  const findings: Finding[] = [];
  const records: WithheldRanges[] = [];
  for (const one of journalRecords) {
    if (one.action !== 'journal.withheld') continue;
    const { row, boot, fields } = one;
    const { withheld_hook_id: hook, withheld_cpu: cpu } = fields;
    const texts = textsOf(fields.withheld_ranges);
    const ranges = texts.map(rangeOf).filter((range) => range !== undefined);
    if (!isSound(one, ranges, texts)) {
      findings.push({ code: 'WITHHELD_FIELDS', row });
      continue;
    }
    if (!isNameOf(one, `${hook}:journal.withheld:${cpu}:${texts.join(',')}`))
      findings.push({ code: 'ID_WRONG', row });
    records.push({ row, key: `${boot}/${hook}/${cpu}`, ranges });
  }
  const byKey = Map.groupBy(records, ({ key }) => key);
  return {
    findings,
    records,
    byCpu: new Map(
      [...byKey].map(([key, list]) => [key, merged(list.flatMap(({ ranges }) => ranges))]),
    ),
  };
}

function isSound(
  { hook, fields }: JournalRecord,
  ranges: readonly Range[],
  texts: readonly string[],
): boolean {
  const isApart = ranges.every(
    ({ first, last }, n) => first <= last && first > (ranges[n - 1]?.last ?? -1) + 1,
  );
  const count = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return (
    isApart &&
    ranges.length > 0 &&
    ranges.length === texts.length &&
    ranges.length <= RANGES_MAX &&
    fields.withheld_hook_id === hook &&
    isCount(fields, 'withheld_cpu') &&
    isCount(fields, 'withheld_count') &&
    Number(fields.withheld_count) === count
  );
}

function isCount(fields: JsonObject, name: string): boolean {
  return fields[name] !== null && Number(fields[name]) >= 0;
}

function rangeOf(text: string): Range | undefined {
  const found = /^([1-9]\d{0,15})-([1-9]\d{0,15})$/.exec(text);
  return found === null ? undefined : { first: Number(found[1]), last: Number(found[2]) };
}

function textsOf(list: Json | undefined): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}
