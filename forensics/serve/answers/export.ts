import type { ServerResponse } from 'node:http';
import { counted } from '../../../record/describe.ts';
import { writeExact } from '../../../record/exact-json.ts';
import { visibleJson } from '../../../record/visible.ts';
import { csvLine } from '../../output/csv.ts';
import { Refusal } from '../refusal.ts';
import { drained } from './drained.ts';
import type { Question } from './question.ts';

const TYPES = { jsonl: 'application/jsonl', csv: 'text/csv' } as const;
const BUFFER_CHARS = 1 << 16;
/** Browsers may stop reading while they ask where to save the file. */
const IDLE_MS = 300_000;

/**
 * Writes all records of a selection as a file. The last line says how complete it is; a file without
 * that line broke off.
 */
export async function exportRecords(
  { memory, parameters, signal }: Question,
  response: ServerResponse,
): Promise<undefined> {
  const form = parameters.text('form') ?? 'jsonl';
  if (form !== 'jsonl' && form !== 'csv') throw new Refusal(400, 'form must be jsonl or csv');
  const { selection } = parameters;
  let buffered = '';
  let lines = 0;
  const send = async (text: string) => {
    if (!response.headersSent)
      response.writeHead(200, {
        'content-type': `${TYPES[form]}; charset=utf-8`,
        'content-disposition': `attachment; filename="vcml-records.${form}"`,
      });
    if (!response.write(text)) await drained(response, IDLE_MS, signal);
  };
  const notes = await memory.write(
    selection,
    form,
    async (text) => {
      lines += 1;
      buffered += text;
      if (buffered.length < BUFFER_CHARS) return;
      await send(buffered);
      buffered = '';
    },
    signal,
  );
  const records = form === 'csv' ? lines - 1 : lines;
  await send(buffered + lastLine(form, { records, notes }));
  response.end();
  return undefined;
}

interface Remarks {
  readonly records: number;
  readonly notes: readonly string[];
}

function lastLine(form: 'jsonl' | 'csv', { records, notes }: Remarks): string {
  if (form === 'jsonl')
    return `${visibleJson(writeExact({ vcml: { records, notes: [...notes] } }))}\n`;
  return csvLine([`# ${[counted(records, 'record'), ...notes].join('; ')}`]);
}
