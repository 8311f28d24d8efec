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
  const isExported = ({ row }: JournalRecord) => journals.placeOf(row).file.hasLogs;
  /** undefined: the run began before these files */
  let run: Run | undefined;
  /** the run that has just stopped */
  let stopped: Run | undefined;
  for (const [index, about] of journalRecords.entries()) {
    const { row, action, fields } = about;
    const here = journalOf(row);
    if (here !== journal) {
      run = undefined;
      stopped = undefined;
      search.begin();
    }
    journal = here;
    if (action === 'journal.checkpoint') {
      const named = run ?? stopped;
      if (named === undefined) search.passCheckpoint(about);
      else if (!isNext(about, named, search, isExported)) findings.push({ code: 'ID_WRONG', row });
      continue;
    }
    if (action === 'journal.start') run = begunBy(about);
    const isNamed =
      run === undefined ? search.isNamed(about) : isNext(about, run, search, isExported);
    if (!isNamed) findings.push({ code: 'ID_WRONG', row });
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
    stopped = run;
    run = undefined;
    if (stopped !== undefined) search.begin();
    const next = behind.get(row);
    const following = journalRecords.find((one, at) => at > index && !isCheckpoint(one));
    const isStart = following?.row === next && following?.action === 'journal.start';
    if (next !== undefined && journalOf(next) === here && !isStart)
      findings.push({ code: 'RUN_AFTER_STOP', row: next });
  }
  return findings;
}

/** A run of the agent, and what was recorded about it so far. */
interface Run {
  readonly start: JournalRecord;
  /** how many records about the journal */
  named: number;
  losses: number;
  lost: number;
  hasCheckpoints: boolean;
}

function begunBy(start: JournalRecord): Run {
  return { start, named: 0, losses: 0, lost: 0, hasCheckpoints: false };
}

/**
 * Whether a record about the journal has the next number of its run. A collector may lack some checkpoints
 * before it, and a store does not keep all of them. In a journal, their own check finds what is missing.
 */
function isNext(
  record: JournalRecord,
  run: Run,
  search: NumberSearch,
  isExported: (record: JournalRecord) => boolean,
): boolean {
  const number = run.named;
  run.named += 1;
  run.hasCheckpoints ||= isCheckpoint(record);
  if (isNameOf(record, `${record.bootTime}:${record.action}:${number}`)) return true;
  if (!run.hasCheckpoints && !isExported(record)) return false;
  const found = search.numberOf(record, number);
  run.named = found === undefined ? run.named : found + 1;
  return found !== undefined;
}

function isCheckpoint({ action }: JournalRecord): boolean {
  return action === 'journal.checkpoint';
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
 * was withheld may stand between them, and the last checkpoint of the run.
 */
async function readableBehind(
  journals: Journals,
  journalRecords: readonly JournalRecord[],
): Promise<Map<number, number>> {
  const passed = new Set(
    journalRecords
      .filter((one) => one.action === 'journal.withheld' || isCheckpoint(one))
      .map(({ row }) => row),
  );
  const behind = new Map<number, number>();
  for (const { action, row } of journalRecords) {
    if (action !== 'journal.stop') continue;
    let next = row + 1;
    while (passed.has(next)) next += 1;
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
    ...journalRecords
      .filter(({ action }) => action === 'journal.start' || action === 'journal.stop')
      .map(({ row }) => row),
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
  /** Whether the numbers are too high to be found, as behind many checkpoints. */
  #isHigh = false;

  /** Another run begins. */
  begin(): void {
    this.#next = 0;
    this.#isHigh = false;
  }

  /** Passes a checkpoint. A run makes so many of them that its number may be too high to be found. */
  passCheckpoint(record: JournalRecord): void {
    this.#isHigh ||= !this.isNamed(record);
  }

  /** Whether an id is the one of `<boot time>:<action>:<n>` for an n above those before. */
  isNamed(record: JournalRecord): boolean {
    if (this.#isHigh || this.#left < TRIES) return true;
    const number = this.numberOf(record, this.#next);
    this.#next = number === undefined ? this.#next : number + 1;
    return number !== undefined;
  }

  /** Returns the number in an id, if it is `from` or not much above. */
  numberOf(record: JournalRecord, from: number): number | undefined {
    const { bootTime, action } = record;
    if (this.#left < TRIES) return from;
    for (let n = from; n < from + TRIES; n += 1) {
      this.#left -= 1;
      if (isNameOf(record, `${bootTime}:${action}:${n}`)) return n;
    }
    return undefined;
  }
}
