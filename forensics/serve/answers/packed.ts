import { readRecord, type StoredRecord } from '../../../record/read.ts';
import { packRecords } from '../../report/pack.ts';
import type { Packed } from '../../report/packed.ts';

/** Packs the records in lines, as a report does; a line that is no record is left out. */
export function packLines(lines: readonly string[]): Pick<Packed, 'shapes' | 'values' | 'rows'> {
  return packRecords(
    recordsIn(lines).map(({ json, id, timestamp = 0n }) => ({ ...json, id, timestamp })),
  );
}

/** Reads the records in lines. */
export function recordsIn(lines: readonly string[]): StoredRecord[] {
  return lines.map(readRecord).filter((one) => one !== undefined);
}
