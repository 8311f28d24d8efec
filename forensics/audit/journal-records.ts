import { isObject, type Json, type JsonObject, parseExact } from '../../record/exact-json.ts';
import type { Journals } from '../journals.ts';

/** A record about the journal. */
export interface JournalRecord {
  readonly row: number;
  readonly boot: string;
  /** the hook of its own line; a loss can concern another one */
  readonly hook: string;
  readonly action: string;
  readonly id: string;
  readonly bootTime: string;
  readonly fields: JsonObject;
}

/** Reads all records about the journal, in order. */
export async function journalRecordsOf(journals: Journals): Promise<JournalRecord[]> {
  const rows = await journals.rows(
    `SELECT rowid, boot::VARCHAR, hook::VARCHAR, id::VARCHAR, boot_time::VARCHAR, about
     FROM audited WHERE about IS NOT NULL AND boot IS NOT NULL ORDER BY rowid`,
  );
  return rows.map(([row, boot, hook, id, bootTime, about]) => {
    const json = parseExact(String(about));
    const fields = isObject(json) ? json : {};
    const texts = { boot: String(boot), hook: String(hook), id: String(id) };
    return {
      row: Number(row),
      ...texts,
      action: String(fields.action),
      bootTime: String(bootTime),
      fields,
    };
  });
}

/** The integers of a list; none if it is not a list. */
export function integersOf(value: Json | undefined): number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}
