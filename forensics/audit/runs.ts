import { createHash } from 'node:crypto';
import type { Journals } from '../journals.ts';
import type { Finding } from './finding.ts';
import type { JournalRecord } from './journal-records.ts';

/**
 * The highest number that is tried for a record about the journal if the run's beginning is
 * missing.
 */
const SEARCH = 10_000;

/**
 * Checks the agent's runs: ids of records about the journal, counts, and that nothing follows a
 * stop.
 */
export async function runFindings(
  journals: Journals,
  journalRecords: readonly JournalRecord[],
): Promise<Finding[]> {
  const journalOf = journalByRow(journals);
  const counted = await countedRuns(journals, journalRecords);
  const readable = await readableAfter(journals, journalRecords);
  const findings: Finding[] = [];
  let journal = '';
  /** undefined: the run began before these files */
  let run: { start: number; named: number; losses: number; lost: number } | undefined;
  for (const [index, about] of journalRecords.entries()) {
    const { row, action, fields } = about;
    const here = journalOf(row);
    if (here !== journal) run = undefined;
    journal = here;
    if (action === 'journal.start') run = { start: row, named: 0, losses: 0, lost: 0 };
    if (!isNamed(about, run?.named)) findings.push({ code: 'ID_WRONG', row });
    if (run !== undefined) run.named += 1;
    if (action === 'journal.loss' && run !== undefined) {
      run.losses += 1;
      run.lost += Number(fields.loss_count ?? 0);
    }
    if (action !== 'journal.stop') continue;
    if (run !== undefined) {
      const { execs, gaps } = counted.get(run.start) ?? { execs: 0, gaps: 0 };
      const wrong = [
        ...differing('records', fields.journal_records, [execs]),
        ...differing('gaps', fields.journal_gaps, [gaps]),
        ...differing('losses', fields.journal_losses, [run.lost, run.losses]),
      ];
      if (wrong.length > 0) findings.push({ code: 'RUN_COUNTS', row, more: wrong.join(', ') });
    }
    run = undefined;
    const after = journalRecords[index + 1];
    if (
      readable.has(row + 1) &&
      journalOf(row + 1) === here &&
      !(after?.row === row + 1 && after.action === 'journal.start')
    )
      findings.push({ code: 'RUN_AFTER_STOP', row: row + 1 });
  }
  return findings;
}

/** Finds records behind a journal.stop. */
async function readableAfter(
  journals: Journals,
  journalRecords: readonly JournalRecord[],
): Promise<Set<number>> {
  const rows = journalRecords
    .filter(({ action }) => action === 'journal.stop')
    .map(({ row }) => row + 1);
  const found = await journals.rows(
    `SELECT rowid FROM audited SEMI JOIN (SELECT unnest([${rows.join(', ')}]::BIGINT[]) AS row) behind
     ON audited.rowid = behind.row WHERE readable`,
  );
  return new Set(found.map(([row]) => Number(row)));
}

function differing(noun: string, said: unknown, right: readonly number[]): string[] {
  return right.includes(Number(said)) ? [] : [`${said} ${noun}, and ${right[0]} are here`];
}

/**
 * Counts execs and gaps between a journal.start and the end of its run, by the row of the start.
 */
async function countedRuns(journals: Journals, journalRecords: readonly JournalRecord[]) {
  const starts = startRows(journals, journalRecords);
  // Each bound is the last row before the next run.
  const bounds = [...starts.slice(1).map((row) => row - 1), Number.MAX_SAFE_INTEGER];
  const counts = (condition: string) => `map_values(histogram(
    CASE WHEN ${condition} THEN rowid END, [${bounds.join(', ')}]::BIGINT[]))`;
  const rows = await journals.rows(
    `SELECT unnest(${counts('is_exec')}), unnest(${counts('is_exec AND parent IS NULL')}) FROM audited`,
  );
  return new Map(
    rows.map(([execs, gaps], run) => [starts[run], { execs: Number(execs), gaps: Number(gaps) }]),
  );
}

/** The rows where a run or a journal begins, and always the first row. */
function startRows(journals: Journals, journalRecords: readonly JournalRecord[]): number[] {
  const rows = new Set([
    0,
    ...journalRecords.filter(({ action }) => action !== 'journal.loss').map(({ row }) => row),
  ]);
  for (const [index, { first, count }] of journals.extents.entries()) {
    const { journal } = journals.files[index] ?? {};
    if (count > 0 && journal !== journals.files[index - 1]?.journal) rows.add(first);
  }
  return [...rows].sort((a, b) => a - b);
}

function journalByRow(journals: Journals): (row: number) => string {
  return (row) => {
    const index = journals.extents.findIndex(
      ({ first, count }) => row >= first && row < first + count,
    );
    return journals.files[index]?.journal ?? '';
  };
}

/**
 * Whether an id is the one of `<boot time>:<action>:<n>`; any n where the run's beginning is
 * missing. It is computed without record/ids.ts, on purpose: see line-rules.ts.
 */
function isNamed({ boot, bootTime, action, id }: JournalRecord, n: number | undefined): boolean {
  const namespace = Buffer.from(boot.replaceAll('-', ''), 'hex');
  const is = (number: number) => {
    const hash = createHash('sha1').update(namespace).update(`${bootTime}:${action}:${number}`);
    const bytes = hash.digest();
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    return bytes.toString('hex', 0, 16) === id.replaceAll('-', '');
  };
  if (n !== undefined) return is(n);
  for (let number = 0; number < SEARCH; number += 1) if (is(number)) return true;
  return false;
}
