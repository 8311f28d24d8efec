import type { Journals } from '../journals.ts';
import type { Finding } from './finding.ts';
import { integersOf, type JournalRecord } from './journal-records.ts';
import { isNameOf } from './names.ts';
import type { Numbers } from './numbers.ts';

/** How many numbers are tried for a record about the journal if its run's beginning is missing. */
const TRIES = 100_000;
/** How many are tried for all of them. */
const ALL_TRIES = 20 * TRIES;

/**
 * Checks the agent's runs: ids of records about the journal, counts, and that nothing follows a
 * stop. What rules withheld counts as if it were here.
 */
export async function runFindings(
  journals: Journals,
  all: readonly JournalRecord[],
  numbers: Pick<Numbers, 'withheld' | 'untold'>,
): Promise<Finding[]> {
  // The export makes those about withheld records, and not a run.
  const journalRecords = all.filter(({ action }) => action !== 'journal.withheld');
  const journalOf = journalByRow(journals);
  const counted = await countedRuns(journals, journalRecords);
  const behind = await readableBehind(journals, all);
  const findings: Finding[] = [];
  let journal = '';
  const search = new NumberSearch();
  /** undefined: the run began before these files */
  let run: { start: JournalRecord; named: number; losses: number; lost: number } | undefined;
  for (const [index, about] of journalRecords.entries()) {
    const { row, action, fields } = about;
    const here = journalOf(row);
    if (here !== journal) {
      run = undefined;
      search.begin();
    }
    journal = here;
    if (action === 'journal.start') run = { start: about, named: 0, losses: 0, lost: 0 };
    const isNamed =
      run === undefined
        ? search.isNamed(about)
        : isNameOf(about, `${about.bootTime}:${action}:${run.named}`);
    if (!isNamed) findings.push({ code: 'ID_WRONG', row });
    if (run !== undefined) run.named += 1;
    if (action === 'journal.loss' && run !== undefined) {
      run.losses += 1;
      run.lost += Number(fields.loss_count ?? 0);
    }
    if (action !== 'journal.stop') continue;
    if (run !== undefined) {
      const { start, lost, losses } = run;
      const { execs, gaps } = counted.get(start.row) ?? { execs: 0, gaps: 0 };
      const withheld = withheldIn(journalRecords, index, start, numbers);
      const wrong = [
        ...differing('records', fields.journal_records, execs + withheld),
        ...differing('gaps', fields.journal_gaps, gaps, gaps + withheld),
        ...(Number(fields.journal_losses) === losses
          ? []
          : differing('losses', fields.journal_losses, lost)),
      ];
      if (wrong.length > 0) {
        const isUntold = numbers.untold(start.boot, start.hook) > 0;
        const severity = isUntold ? ({ severity: 'WARN' } as const) : {};
        findings.push({ code: 'RUN_COUNTS', row, more: wrong.join(', '), ...severity });
      }
    }
    run = undefined;
    search.begin();
    const next = behind.get(row);
    if (
      next !== undefined &&
      journalOf(next) === here &&
      !(
        journalRecords[index + 1]?.row === next &&
        journalRecords[index + 1]?.action === 'journal.start'
      )
    )
      findings.push({ code: 'RUN_AFTER_STOP', row: next });
  }
  return findings;
}

/** How many records of a run are withheld: from its first numbers to those of the next run. */
function withheldIn(
  journalRecords: readonly JournalRecord[],
  stop: number,
  { boot, hook, fields }: JournalRecord,
  { withheld }: Pick<Numbers, 'withheld'>,
): number {
  const next = journalRecords.find(
    (one, index) =>
      index > stop && one.action === 'journal.start' && one.boot === boot && one.hook === hook,
  );
  const from = integersOf(fields.hook_next_seq);
  return withheld(boot, hook, from, next && integersOf(next.fields.hook_next_seq));
}

/**
 * Returns the row of the record behind each journal.stop, by the row of the stop. Records about what
 * was withheld may stand between them.
 */
async function readableBehind(
  journals: Journals,
  journalRecords: readonly JournalRecord[],
): Promise<Map<number, number>> {
  const withheld = new Set(
    journalRecords.filter(({ action }) => action === 'journal.withheld').map(({ row }) => row),
  );
  const behind = new Map<number, number>();
  for (const { action, row } of journalRecords) {
    if (action !== 'journal.stop') continue;
    let next = row + 1;
    while (withheld.has(next)) next += 1;
    behind.set(next, row);
  }
  const found = await journals.rows(
    `SELECT rowid FROM audited
     SEMI JOIN (SELECT unnest([${[...behind.keys()].join(', ')}]::BIGINT[]) AS row) behind
     ON audited.rowid = behind.row WHERE readable`,
  );
  return new Map(found.map(([row]) => [behind.get(Number(row)) ?? -1, Number(row)]));
}

function differing(noun: string, said: unknown, least: number, most = least): string[] {
  const isRight = Number(said) >= least && Number(said) <= most;
  return isRight ? [] : [`${said} ${noun}, and ${least} are here`];
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
 * Finds the numbers of records about the journal in a run whose beginning is missing. They ascend, so that
 * those of an agent take few tries. When all tries are used up, many ids are known to be wrong, and no
 * other is judged.
 */
class NumberSearch {
  #left = ALL_TRIES;
  #next = 0;

  /** Another run begins. */
  begin(): void {
    this.#next = 0;
  }

  /** Whether an id is the one of `<boot time>:<action>:<n>` for an n above those before. */
  isNamed(record: JournalRecord): boolean {
    const { bootTime, action } = record;
    if (this.#left < TRIES) return true;
    for (let n = this.#next; n < this.#next + TRIES; n += 1) {
      this.#left -= 1;
      if (!isNameOf(record, `${bootTime}:${action}:${n}`)) continue;
      this.#next = n + 1;
      return true;
    }
    return false;
  }
}
