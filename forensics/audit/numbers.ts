import type { Journals } from '../journals.ts';
import { beyond, countBeyond, merged, overlaps, type Range } from '../ranges.ts';
import type { Code } from './codes.ts';
import type { Finding } from './finding.ts';
import { integersOf, type JournalRecord } from './journal-records.ts';
import type { Absent } from './links.ts';
import { rangesOf } from './number-ranges.ts';
import type { SeenExecs } from './seen/execs.ts';
import type { Withheld } from './withheld.ts';

/** An event in the numbers of one CPU, in the order of lines. */
type Step =
  | { readonly kind: 'start'; readonly row: number; readonly next: number }
  | ({ readonly kind: 'range' | 'loss'; readonly row: number } & Range);

/** What the numbers of all execs show. */
export interface Numbers {
  readonly findings: readonly Finding[];
  readonly absent: Absent;
  /**
   * How many numbers of a hook rules withheld that no record here has, from and below these numbers
   * of each CPU.
   */
  withheld(boot: string, hook: string, from?: readonly number[], below?: readonly number[]): number;
  /** How many numbers of a hook are missing whose agent did not report what rules withheld. */
  untold(boot: string, hook: string): number;
}

/**
 * Checks that each number of a CPU occurs once and in order, or is covered by a loss, or that a rule
 * withheld it. What is withheld is known only behind the batch that lacks it, so that the order of
 * its records does not matter.
 */
export async function numberFindings(
  journals: Journals,
  journalRecords: readonly JournalRecord[],
  { records, byCpu }: Withheld,
  seen: SeenExecs | undefined,
): Promise<Numbers> {
  const starts = journalRecords
    .filter(({ action }) => action === 'journal.start')
    .map(({ row }) => row);
  const cpus = new Map<string, Step[]>();
  for (const [key, ranges] of await rangesOf(journals.connection, starts, seen?.numbers))
    cpus.set(
      key,
      ranges.map((range) => ({ kind: 'range', ...range })),
    );
  const firstRows = new Map<string, number>();
  for (const [key, steps] of cpus) {
    const hook = hookKey(key);
    firstRows.set(
      hook,
      Math.min(firstRows.get(hook) ?? Number.POSITIVE_INFINITY, steps[0]?.row ?? 0),
    );
  }
  const partial = new Set<string>();
  const started = new Set<string>();
  const deleted = new Map<string, Range[]>();
  /** hooks whose segments were deleted although they could not be read */
  const unknown = new Set<string>();
  for (const { row, boot, hook, action, fields } of journalRecords) {
    if (action === 'journal.start') {
      const key = `${boot}/${hook}`;
      const next = integersOf(fields.hook_next_seq);
      const before = firstRows.get(key) ?? Number.POSITIVE_INFINITY;
      if (!started.has(key) && (before < row || next.some((one) => one > 1))) partial.add(key);
      started.add(key);
      for (const [cpu, one] of next.entries())
        entryOf(cpus, `${key}/${cpu}`).push({ kind: 'start', row, next: one });
    } else if (action === 'journal.loss') {
      if (fields.loss_stage === 'retention' && fields.loss_first_seq === null) {
        partial.add(`${boot}/${fields.loss_hook_id}`);
        unknown.add(`${boot}/${fields.loss_hook_id}`);
      }
      if (fields.loss_first_seq === null || fields.loss_last_seq === null) continue;
      const hook = `${boot}/${fields.loss_hook_id}`;
      const key = `${hook}/${fields.loss_cpu}`;
      const range = { first: Number(fields.loss_first_seq), last: Number(fields.loss_last_seq) };
      if (fields.loss_stage === 'retention') {
        partial.add(hook);
        entryOf(deleted, key).push(range);
      } else entryOf(cpus, key).push({ kind: 'loss', row, ...range });
    }
  }
  for (const key of firstRows.keys()) if (!started.has(key)) partial.add(key);
  const silent = silentHooks(journals, journalRecords, byCpu);
  const untold = new Map<string, number>();
  const findings: Finding[] = [];
  for (const [key, steps] of cpus) {
    steps.sort((a, b) => a.row - b.row);
    const found = walk(steps, key, partial.has(hookKey(key)), byCpu.get(key) ?? []);
    if (silent.has(hookKey(key)))
      for (const one of found.filter(({ finding }) => finding.code === 'SEQ_MISSING')) {
        untold.set(hookKey(key), (untold.get(hookKey(key)) ?? 0) + one.missing);
        one.finding = { ...one.finding, severity: 'WARN', more: `${one.finding.more}${UNTOLD}` };
      }
    for (const { finding } of found) findings.push(finding);
  }
  const present = new Map([...cpus].map(([key, steps]) => [key, rangesIn(steps)]));
  for (const { row, key, ranges } of records) {
    const both = ranges.filter((range) => overlaps(range, present.get(key) ?? []));
    if (both.length > 0)
      findings.push({ code: 'WITHHELD_PRESENT', row, more: `${cpuOf(key)}: ${textOf(both)}` });
  }
  return {
    findings,
    withheld(boot, hook, from = [], below = []) {
      let count = 0;
      for (const [key, ranges] of byCpu) {
        if (hookKey(key) !== `${boot}/${hook}`) continue;
        const cpu = Number(key.slice(key.lastIndexOf('/') + 1));
        const first = from[cpu] ?? 1;
        const last = (below[cpu] ?? Number.POSITIVE_INFINITY) - 1;
        const within = ranges.map((one) => ({
          first: Math.max(first, one.first),
          last: Math.min(last, one.last),
        }));
        count += countBeyond(within, present.get(key) ?? []);
      }
      return count;
    },
    untold: (boot, hook) => untold.get(`${boot}/${hook}`) ?? 0,
    absent(boot, hook) {
      const key = `${boot}/${hook}`;
      if (unknown.has(key)) return Number.POSITIVE_INFINITY;
      if (!partial.has(key)) return 0;
      const own = [...new Set([...cpus.keys(), ...deleted.keys()])].filter(
        (cpu) => hookKey(cpu) === key,
      );
      // Only a start or a deletion lists every CPU.
      if (!started.has(key) && !own.some((cpu) => deleted.has(cpu)))
        return Number.POSITIVE_INFINITY;
      return own.reduce((sum, cpu) => sum + absentOf(cpus.get(cpu), deleted.get(cpu)), 0);
    },
  };
}

/** How many ranges a finding names. */
const RANGES_SHOWN = 3;
const UNTOLD = '; an agent of format 1 does not say what exportRules withheld';

/**
 * Hooks whose records an agent of format 1 exported: it did not report what rules withheld. In the
 * journal itself, rules withhold nothing.
 */
function silentHooks(
  journals: Journals,
  journalRecords: readonly JournalRecord[],
  byCpu: Withheld['byCpu'],
): Set<string> {
  const silent = new Set<string>();
  for (const { row, boot, hook, action, fields } of journalRecords)
    if (action === 'journal.start' && Number(fields.format_version) < 2)
      if (journals.placeOf(row).file.hasLogs) silent.add(`${boot}/${hook}`);
  for (const key of byCpu.keys()) silent.delete(hookKey(key));
  return silent;
}

/** The numbers of the records of a CPU that are here. */
function rangesIn(steps: readonly Step[]): Range[] {
  return merged(steps.flatMap((step) => (step.kind === 'range' ? [step] : [])));
}

/** How many numbers of a CPU are before its first step, or deleted and not there. */
function absentOf(steps: readonly Step[] = [], deleted: readonly Range[] = []): number {
  const [begin] = steps;
  const first = begin?.kind === 'start' ? begin.next : (begin?.first ?? 1);
  const present = steps.filter((step) => step.kind !== 'start');
  return countBeyond([{ first: 1, last: first - 1 }, ...deleted], present);
}

/** A finding, and how many numbers it misses. */
interface Found {
  finding: Finding;
  readonly missing: number;
}

function walk(
  steps: readonly Step[],
  key: string,
  partial: boolean,
  withheld: readonly Range[],
): Found[] {
  const findings: Found[] = [];
  const cpu = cpuOf(key);
  const losses = new Map<number, number>();
  const report = (code: Code, row: number, more: string, missing = 0) =>
    findings.push({ finding: { code, row, more: `${cpu}: ${more}` }, missing });
  // If a journal begins in the middle, the numbers before are unknown.
  let next = partial ? undefined : 1;
  const absorb = () => {
    for (let last: number | undefined; next !== undefined; next = last + 1) {
      last = losses.get(next);
      if (last === undefined) return;
      losses.delete(next);
    }
  };
  const missingIn = (range: Range) => {
    const lost = merged([...losses].map(([first, last]) => ({ first, last })));
    return beyond(beyond([range], withheld), lost);
  };
  for (const step of steps) {
    absorb();
    const { row } = step;
    if (step.kind === 'start') {
      if (
        next !== undefined &&
        (step.next < next || missingIn({ first: next, last: step.next - 1 }).length > 0)
      )
        report('SEQ_START', row, `${step.next}, and ${next} is next`);
      next = step.next;
    } else if (step.kind === 'loss') {
      const { first, last } = step;
      const again = [...losses].some(([from, to]) => first <= to && last >= from);
      const isPresent = again || first < (next ?? first);
      if (isPresent || overlaps(step, withheld)) report('LOSS_PRESENT', row, `${first} to ${last}`);
      if (!isPresent) losses.set(first, last);
      next ??= first;
    } else {
      next ??= step.first;
      absorb();
      if (step.first > next) {
        const missing = missingIn({ first: next, last: step.first - 1 });
        if (missing.length > 0)
          report('SEQ_MISSING', row, textOf(missing), countBeyond(missing, []));
      } else if (step.first < next)
        report('SEQ_REPEATED', row, `${step.first}, and ${next} is next`);
      next = Math.max(next, step.last + 1);
    }
  }
  return findings;
}

/** Ranges in words; of many, the first ones. */
function textOf(ranges: readonly Range[]): string {
  const shown = ranges.slice(0, RANGES_SHOWN).map(({ first, last }) => `${first} to ${last}`);
  const more = ranges.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more ranges` : ''}`;
}

function cpuOf(key: string): string {
  return `cpu ${key.slice(key.lastIndexOf('/') + 1)}`;
}

function entryOf<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function hookKey(key: string): string {
  return key.slice(0, key.lastIndexOf('/'));
}
