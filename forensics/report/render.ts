import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ForensicsError } from '../errors.ts';
import { packRecords, plainNumbers } from './pack.ts';
import type { InputSummary, Packed } from './packed.ts';

const PAGE = join(import.meta.dirname, '../../build/report/page.html');

/**
 * A record as it is in its line, whatever it is: nothing is taken for granted. The timestamp is Unix
 * nanoseconds as a bigint or decimal string, since a double would round it.
 */
export type ReportRecord = Readonly<Record<string, unknown>>;

/** What a report shows; every string may come from an attacker. */
export interface ReportInput {
  readonly title: string;
  /** what was asked for, in words or as the command line's arguments */
  readonly selection: string;
  readonly generatedFrom: {
    readonly inputs: readonly InputSummary[];
    /** shown with the gaps: torn files, silent times, limits */
    readonly warnings?: readonly string[];
  };
  /** shown in this order: by time, a cause before its effects */
  readonly records: Iterable<ReportRecord>;
  /** by record id: what other sources say, such as the API server's audit log */
  readonly notes?: ReadonlyMap<string, readonly string[]>;
}

/**
 * The report as one HTML page that needs nothing else, and may load nothing else: its policy allows
 * its own script and style by their hashes and forbids the rest. What comes from records is in one
 * block of inert JSON.
 */
export function renderReport(input: ReportInput): string {
  const data = inertJson(packInput(input));
  const element = `<script type="application/json" id="data">${data}</script>`;
  return readPage().replace('<!--data-->', () => element);
}

/** Reads the page, which `make build` makes (forensics/report/build-page.ts). */
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

/** What could end the block, or turn the text around for who reads the file in an editor. */
const UNSAFE = /[<>&\x7f-\x9f\u2028\u2029\p{Cf}]/gu;

/** JSON that is safe inside a script element. */
function inertJson(value: unknown): string {
  return JSON.stringify(value, plainNumbers).replaceAll(UNSAFE, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
