import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ForensicsError } from '../errors.ts';
import { BUILT } from '../installed.ts';
import { packRecords, plainNumbers } from './pack.ts';
import type { InputSummary, Packed } from './packed.ts';

const PAGE = join(BUILT, 'report/page.html');

/**
 * A record as it stands in its line; its fields may have any type. The timestamp is Unix
 * nanoseconds as a bigint or a decimal string, because a double would round it.
 */
export type ReportRecord = Readonly<Record<string, unknown>>;

/** The input of a report; every string may come from an attacker. */
export interface ReportInput {
  readonly title: string;
  /** the selection, in words or as the arguments of the command line */
  readonly selection: string;
  readonly generatedFrom: {
    readonly inputs: readonly InputSummary[];
    /** shown with the gaps, such as torn files, silent times and limits */
    readonly warnings?: readonly string[];
  };
  /** in the order of the report: by time, a cause before its effects */
  readonly records: Iterable<ReportRecord>;
  /** notes from other sources, such as the API server's audit log, by the place of the record */
  readonly notes?: ReadonlyMap<number, readonly string[]>;
}

/**
 * Renders the report as one HTML page, which needs no other file and may load none: its policy
 * allows only its own script and style, by their hashes. Everything from records is in one block of
 * inert JSON.
 */
export function renderReport(input: ReportInput): string {
  const data = inertJson(packInput(input));
  const element = `<script type="application/json" id="data">${data}</script>`;
  return readPage().replace('<!--data-->', () => element);
}

/** Reads the page that `make build` makes (forensics/report/build-page.ts). */
function readPage(): string {
  try {
    return readFileSync(PAGE, 'utf8');
  } catch (cause) {
    throw new ForensicsError('unreadable', `no page for reports in ${PAGE}: run \`make build\``, {
      cause,
    });
  }
}

function packInput({ title, selection, generatedFrom, records, notes }: ReportInput): Packed {
  return {
    title,
    selection,
    inputs: generatedFrom.inputs,
    warnings: generatedFrom.warnings ?? [],
    notes: [...(notes ?? [])],
    ...packRecords(records),
  };
}

/** Characters that could end the block, or reorder the text in an editor. */
const UNSAFE = /[<>&\x7f-\x9f\u2028\u2029\p{Cf}]/gu;

/** Returns JSON that is safe inside a script element. */
function inertJson(value: unknown): string {
  return JSON.stringify(value, plainNumbers).replaceAll(UNSAFE, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
