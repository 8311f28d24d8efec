import type { Journals } from '../journals.ts';
import { countBeyond, type Range } from './absent.ts';
import type { Finding } from './finding.ts';
import { integersOf, type JournalRecord } from './journal-records.ts';
import type { Absent } from './links.ts';

/** An event in the numbers of one CPU, in the order of lines. */
type Step =
  | { readonly kind: 'start'; readonly row: number; readonly next: number }
  | ({ readonly kind: 'range' | 'loss'; readonly row: number } & Range);

/** Checks that each number of a CPU occurs once and in order, or is covered by a loss. */
export async function numberFindings(
  journals: Journals,
  journalRecords: readonly JournalRecord[],
): Promise<{ findings: Finding[]; absent: Absent }> {
  const starts = journalRecords
    .filter(({ action }) => action === 'journal.start')
    .map(({ row }) => row);
  const cpus = await rangesOf(journals, starts);
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
  const findings = [...cpus].flatMap(([key, steps]) =>
    walk(
      steps.sort((a, b) => a.row - b.row),
      key,
      partial.has(hookKey(key)),
    ),
  );
  return {
    findings,
    absent(boot, hook) {
      const key = `${boot}/${hook}`;
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

/** How many numbers of a CPU are before its first step, or deleted and not there. */
function absentOf(steps: readonly Step[] = [], deleted: readonly Range[] = []): number {
  const [begin] = steps;
  const first = begin?.kind === 'start' ? begin.next : (begin?.first ?? 1);
  const present = steps.filter((step) => step.kind !== 'start');
  return countBeyond([{ first: 1, last: first - 1 }, ...deleted], present);
}

/**
 * Contiguous ranges of numbers by boot, hook and CPU, divided at each journal.start; few if all is
 * well.
 */
async function rangesOf(
  journals: Journals,
  starts: readonly number[],
): Promise<Map<string, Step[]>> {
  const rows = await journals.rows(
    `SELECT concat(boot, '/', hook, '/', cpu), min(row), min(seq), max(seq) FROM (
       SELECT boot, hook, cpu, seq, rowid AS row,
         seq - row_number() OVER (PARTITION BY boot, hook, cpu ORDER BY rowid) AS part
       FROM audited WHERE is_exec AND boot IS NOT NULL AND hook IS NOT NULL AND cpu IS NOT NULL
         AND seq > 0) one
     ASOF LEFT JOIN (SELECT unnest([${starts.join(', ')}]::BIGINT[]) AS start) began
       ON one.row >= began.start
     GROUP BY boot, hook, cpu, part, start ORDER BY 2`,
  );
  const cpus = new Map<string, Step[]>();
  for (const [key, row, first, last] of rows)
    entryOf(cpus, String(key)).push({
      kind: 'range',
      row: Number(row),
      first: Number(first),
      last: Number(last),
    });
  return cpus;
}

function walk(steps: readonly Step[], key: string, partial: boolean): Finding[] {
  const findings: Finding[] = [];
  const cpu = `cpu ${key.slice(key.lastIndexOf('/') + 1)}`;
  const losses = new Map<number, number>();
  // If a journal begins in the middle, the numbers before are unknown.
  let next = partial ? undefined : 1;
  const absorb = () => {
    for (let last: number | undefined; next !== undefined; next = last + 1) {
      last = losses.get(next);
      if (last === undefined) return;
      losses.delete(next);
    }
  };
  for (const step of steps) {
    absorb();
    const { row } = step;
    if (step.kind === 'start') {
      if (next !== undefined && step.next !== next)
        findings.push({
          code: 'SEQ_START',
          row,
          more: `${cpu}: ${step.next}, and ${next} is next`,
        });
      next = step.next;
    } else if (step.kind === 'loss') {
      const { first, last } = step;
      const again = [...losses].some(([from, to]) => first <= to && last >= from);
      if (again || first < (next ?? first))
        findings.push({ code: 'LOSS_PRESENT', row, more: `${cpu}: ${first} to ${last}` });
      else losses.set(first, last);
      next ??= first;
    } else {
      next ??= step.first;
      absorb();
      if (step.first > next)
        findings.push({ code: 'SEQ_MISSING', row, more: `${cpu}: ${next} to ${step.first - 1}` });
      else if (step.first < next)
        findings.push({
          code: 'SEQ_REPEATED',
          row,
          more: `${cpu}: ${step.first}, and ${next} is next`,
        });
      next = Math.max(next, step.last + 1);
    }
  }
  return findings;
}

function entryOf<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

function hookKey(key: string): string {
  return key.slice(0, key.lastIndexOf('/'));
}
