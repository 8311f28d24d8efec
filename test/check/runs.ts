import type { CheckedRecord, Report } from './finding.ts';
import { uuid5 } from './uuid.ts';

/** An offset that changed by less is kept (ns). */
const OFFSET_STEP_NS = 1_000_000n;
/**
 * The number of candidates for a journal record's number if the beginning of its run is missing.
 */
const SEARCH = 10_000;

/** The counts between a journal.start and the next one. */
interface Run {
  /** Whether the journal has the beginning of the run. */
  readonly isWhole: boolean;
  /** The journal records so far; undefined if that cannot be said. */
  named: number | undefined;
  lines: number;
  execs: number;
  gaps: number;
  losses: number;
  lost: number;
  stopped: boolean;
}

/** Checks the runs of the agent: their ids, their clock and their counts. */
export class Runs {
  #run: Run = newRun(false);
  #offset: bigint | undefined;

  /** Adds any record, in order. */
  take(record: CheckedRecord, report: Report): void {
    if (record.action === 'journal.start') {
      this.#run = newRun(true);
      this.#offset = undefined;
    } else if (this.#run.stopped && record.action !== 'journal.checkpoint')
      report('run', 'a record between journal.stop and journal.start');
    this.#checkOffset(record, report);
    this.#checkId(record, report);
    const run = this.#run;
    if (record.action === 'journal.stop') checkSums(run, record, report);
    // What a run counts is that of before its checkpoints were.
    if (record.action !== 'journal.checkpoint') run.lines += 1;
    run.stopped ||= record.action === 'journal.stop';
    if (record.action === 'exec') {
      run.execs += 1;
      if (record.parentCause === null) run.gaps += 1;
    } else if (record.action === 'journal.loss') {
      run.losses += 1;
      run.lost += Number(record.attributes['vcml.loss.count'] ?? 0);
    }
  }

  #checkOffset({ timestamp, bootTime }: CheckedRecord, report: Report): void {
    const offset = timestamp - bootTime;
    const moved = offset - (this.#offset ?? offset);
    if (moved !== 0n && moved <= OFFSET_STEP_NS && moved >= -OFFSET_STEP_NS) {
      report('offset', `the wall clock's offset moved by ${moved} ns only`);
    }
    this.#offset = offset;
  }

  #checkId(record: CheckedRecord, report: Report): void {
    const { id, action, bootId, bootTime } = record;
    if (action === 'exec') {
      const right = uuid5(bootId, `${bootTime}:${record.actor.pid}`);
      if (id !== right) report('id', `${id} should be ${right}`);
      return;
    }
    if (record.permittedBy !== `root_event:${action}` || record.parentCause !== null) {
      report('permitted_by', `${record.permittedBy}, parent ${record.parentCause} on ${action}`);
    }
    const name = (n: number) => uuid5(bootId, `${bootTime}:${action}:${n}`);
    const { named } = this.#run;
    if (named !== undefined && id === name(named)) {
      this.#run.named = named + 1;
      return;
    }
    let n = 0;
    while (n < SEARCH && id !== name(n)) n += 1;
    if (n === SEARCH) report('id', `${id} is not the id of any ${action} at ${bootTime}`);
    else if (named !== undefined) report('id', `${id} counts as ${n}, should as ${named}`);
    this.#run.named = n === SEARCH ? undefined : n + 1;
  }
}

function newRun(isWhole: boolean): Run {
  const named = isWhole ? 0 : undefined;
  return { isWhole, named, lines: 0, execs: 0, gaps: 0, losses: 0, lost: 0, stopped: false };
}

/** Compares counts, which may or may not include the journal's own records. */
function checkSums(run: Run, { attributes }: CheckedRecord, report: Report): void {
  if (!run.isWhole || run.named === undefined) return;
  const check = (name: string, ...right: readonly number[]) => {
    const value = attributes[`vcml.journal.${name}`];
    if (!right.includes(Number(value))) report('stop', `${value} ${name}, counted ${right[0]}`);
  };
  check('records', run.execs, run.lines, run.lines + 1);
  check('gaps', run.gaps);
  check('losses', run.lost, run.losses);
}
