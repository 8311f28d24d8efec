/**
 * The independent judge of journals. It stays independent on purpose: it is written from the record
 * format alone, and imports neither `record/` nor the agent nor the reader. Keys, types, ids and the
 * order of numbers stand here a second time, so that a fault in their declaration is found by what
 * does not share it. A new attribute is added here by hand.
 *
 * `node test/check/check.ts DIR…` prints the findings and a summary; its exit code is 1 if there are any.
 */

import { checkExec } from './exec.ts';
import { checkFields } from './fields.ts';
import type { CheckedRecord, Finding, Report } from './finding.ts';
import { parseLine } from './line.ts';
import { Links } from './links.ts';
import { Numbers } from './numbers.ts';
import { JournalReader } from './read.ts';
import { Runs } from './runs.ts';

/** What a journal may contain in addition to the format. */
export interface CheckOptions {
  /** The keys that `OTEL_RESOURCE_ATTRIBUTES` added. */
  readonly resource?: readonly string[];
  /** Whether old records may have been deleted; the default is true. */
  readonly allowRetention?: boolean;
}

/** The counts of a journal. */
export interface Summary {
  readonly lines: number;
  readonly records: Readonly<Record<string, number>>;
  readonly gaps: Readonly<Record<string, number>>;
  /** The lost records by stage. */
  readonly losses: Readonly<Record<string, number>>;
  /** The links to records that are rightly in no line: they were written earlier, or deleted. */
  readonly unresolved: number;
}

/** Checks a journal; if there are no findings, it can be trusted. */
export function checkJournal(lines: Iterable<string>, options: CheckOptions = {}): Finding[] {
  return judge(lines, options).findings;
}

/** Checks a journal and counts its records. */
export function judge(
  lines: Iterable<string>,
  options: CheckOptions = {},
): { findings: Finding[]; summary: Summary } {
  const findings: Finding[] = [];
  const counts = { records: {}, gaps: {}, losses: {} };
  const numbers = new Numbers();
  const runs = new Runs();
  const links = new Links();
  const resource = new Set(options.resource);
  let line = 0;
  const report: Report = (rule, message) => findings.push({ rule, line, message });

  for (const text of lines) {
    line += 1;
    const record = parseLine(text, report);
    if (record === undefined) continue;
    checkFields(record, resource, report);
    runs.take(record, report);
    links.take(record, line, report);
    checkAction(record, numbers, report);
    if (record.attributes['vcml.loss.stage'] === 'retention' && options.allowRetention === false) {
      report('retention', 'records were deleted');
    }
    if (record.attributes['vcml.gap.reason'] === 'lost' && !lostBefore(counts.losses, numbers)) {
      report('gap', 'lost, and nothing was lost before it');
    }
    count(record, counts);
  }
  numbers.end(report);
  const end = links.end(numbers.incomplete);
  findings.push(...end.findings);
  return { findings, summary: { lines: line, ...counts, unresolved: end.unresolved } };
}

function checkAction(record: CheckedRecord, numbers: Numbers, report: Report): void {
  if (record.action === 'exec') {
    checkExec(record, report);
    numbers.exec(record, report);
  } else if (record.action === 'journal.start') numbers.start(record, report);
  else if (record.action === 'journal.loss') numbers.loss(record, report);
}

type Counts = Record<string, number>;

/** Counts the losses in the lines of the journal; earlier journals may report more. */
function lostBefore(losses: Counts, numbers: Numbers): boolean {
  return numbers.incomplete || Object.keys(losses).length > 0;
}

function count(record: CheckedRecord, counts: { records: Counts; gaps: Counts; losses: Counts }) {
  add(counts.records, record.action, 1);
  const gap = record.attributes['vcml.gap.reason'];
  if (gap !== undefined) add(counts.gaps, String(gap), 1);
  if (record.action !== 'journal.loss') return;
  const lost = Number(record.attributes['vcml.loss.count'] ?? 0);
  add(counts.losses, String(record.attributes['vcml.loss.stage']), lost);
}

function add(counts: Counts, key: string, n: number): void {
  counts[key] = (counts[key] ?? 0) + n;
}

function main(directories: readonly string[]): void {
  let wrong = 0;
  for (const directory of directories) {
    const { findings, summary } = judge(new JournalReader(directory).lines());
    for (const { rule, line, message } of findings.slice(0, 100)) {
      console.log(`${directory}:${line}: ${rule}: ${message}`);
    }
    console.log(`${directory}: ${findings.length} findings, ${JSON.stringify(summary)}`);
    wrong += findings.length;
  }
  if (directories.length === 0) console.error('usage: node test/check/check.ts DIR…');
  process.exitCode = directories.length === 0 ? 64 : Math.min(wrong, 1);
}

if (import.meta.main) main(process.argv.slice(2));
