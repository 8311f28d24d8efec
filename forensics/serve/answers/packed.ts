import { readRecord, type StoredRecord } from '../../../record/read.ts';
import { packRecords, reported } from '../../report/pack.ts';
import type { Packed } from '../../report/packed.ts';

/** Packs records as a report does. */
export function packed(
  records: readonly StoredRecord[],
): Pick<Packed, 'shapes' | 'values' | 'rows'> {
  return packRecords(records.map(reported));
}

/** Reads the records in lines; a line that is no record is left out. */
export function recordsIn(lines: readonly string[]): StoredRecord[] {
  return lines.map(readRecord).filter((one) => one !== undefined);
}
