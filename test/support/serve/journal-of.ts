import type { ReportRecord } from '../../../forensics/report/render.ts';

/** Returns records as the lines of a journal. */
export function linesOf(records: readonly ReportRecord[]): readonly string[] {
  return records.map((record) => {
    const { timestamp, ...rest } = record;
    const { id, ...more } = rest;
    const json = JSON.stringify({ id, timestamp: 0, ...more });
    return json.replace('"timestamp":0', () => `"timestamp":${timestamp}`);
  });
}
