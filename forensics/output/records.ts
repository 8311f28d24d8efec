import { type Json, writeExact } from '../../record/exact-json.ts';
import { KEYS } from '../../record/fields.ts';
import type { StoredRecord } from '../../record/read.ts';
import { rfc3339Of } from '../../record/time.ts';
import { visible, visibleJson } from '../../record/visible.ts';
import type { Entry } from '../journals.ts';
import { recordIn } from '../record-in.ts';
import { ownRemarks } from './authority.ts';
import { csvLine } from './csv.ts';
import type { Form } from './form.ts';
import { paint, print } from './stdout.ts';
import { bodyOf, gapOf, headOf, shortId, wrapped } from './text.ts';

/** Prints records one at a time. */
export interface RecordPrinter {
  record(entry: Entry): Promise<void>;
  end(): Promise<void>;
}

/**
 * Makes a printer. JSON is printed as it stands in the journal, CSV with the fields that are most
 * useful. In text, `remarksOf` gives what else there is to say about a record.
 */
export function recordPrinter(
  form: Form,
  write: (text: string) => Promise<void> = print,
  remarksOf: (record: StoredRecord) => readonly string[] = ownRemarks,
): RecordPrinter {
  let count = 0;
  return {
    async record(entry) {
      count += 1;
      if (form === 'jsonl') await write(`${visibleJson(entry.text.trim())}\n`);
      else if (form === 'json')
        await write(`${count === 1 ? '[\n' : ',\n'}${visibleJson(entry.text.trim())}`);
      else {
        const record = recordIn(entry.text);
        if (form === 'text') await write(textOf(record, remarksOf(record)));
        else {
          if (count === 1) await write(csvLine(Object.keys(CSV)));
          await write(csvLine(Object.values(CSV).map((cell) => cell(record))));
        }
      }
    },
    async end() {
      if (form === 'json') await write(count === 0 ? '[]\n' : '\n]\n');
      if (form === 'csv' && count === 0) await write(csvLine(Object.keys(CSV)));
    },
  };
}

function textOf(record: StoredRecord, remarks: readonly string[]): string {
  const gap = record.action === 'exec' ? gapOf(record) : undefined;
  const because =
    gap === undefined
      ? record.parentCause === undefined
        ? ''
        : `    ${paint('dim', `← ${shortId(record.parentCause)}`)}\n`
      : wrapped(`⁇ ${gap}`, '    ');
  const more = remarks.map((remark) => wrapped(remark, '    '));
  return [`${headOf(record)}\n`, bodyOf(record, '    '), ...more, because].join('');
}

type Cell = string | number | bigint | undefined;

const attribute =
  (key: string) =>
  ({ attributes }: StoredRecord): Cell =>
    cellOf(attributes[key]);
const resource =
  (key: string) =>
  ({ resource: where }: StoredRecord): Cell =>
    cellOf(where[key]);

const CSV: Readonly<Record<string, (record: StoredRecord) => Cell>> = {
  time: ({ timestamp }) =>
    timestamp === undefined ? undefined : (rfc3339Of(timestamp) ?? `${timestamp}`),
  node: ({ resource: where }) => cellOf(where[KEYS.nodeName] ?? where[KEYS.hostName]),
  namespace: resource(KEYS.namespace),
  pod: resource(KEYS.podName),
  container: resource(KEYS.podContainerName),
  image: resource(KEYS.imageName),
  uid: ({ uid }) => uid,
  pid: ({ pid }) => pid,
  comm: ({ comm }) => cellOf(comm),
  action: ({ action }) => cellOf(action),
  object: ({ object }) => cellOf(object),
  executable: attribute(KEYS.executable),
  args: attribute(KEYS.args),
  gap: attribute(KEYS.gapReason),
  entry: attribute(KEYS.entry),
  id: ({ id }) => cellOf(id),
  parent_cause: ({ parentCause }) => cellOf(parentCause),
};

function cellOf(value: Json | undefined): Cell {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? visible(value) : visibleJson(writeExact(value));
}
