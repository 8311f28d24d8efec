import type { StoredRecord } from '../../../record/read.ts';
import { recordIn } from '../../record-in.ts';
import { packRecords, reported } from '../../report/pack.ts';
import type { Packed } from '../../report/packed.ts';

/** Packs records as a report does. */
export function packed(
  records: readonly StoredRecord[],
): Pick<Packed, 'shapes' | 'values' | 'rows'> {
  return packRecords(records.map(reported));
}

/** Reads the records in lines; throws if one is no record any more. */
export function recordsIn(lines: readonly string[]): StoredRecord[] {
  return lines.map(recordIn);
}
