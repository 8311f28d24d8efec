import type { Journals } from '../journals.ts';
import type { Finding } from './finding.ts';
import type { JournalRecord } from './journal-records.ts';

/** A hook that another one follows without a recorded end. */
interface Former {
  readonly boot: string;
  readonly hook: string;
  readonly journal: string;
  /** the journal.start of the hook that follows */
  readonly row: number;
}

/**
 * Finds hooks whose end is not recorded. A hook stays when its agent ends, so that another one can
 * follow in the same journal only if an agent detached it (`journal.stop` says so), if the machine
 * booted, or if somebody removed it. The last two are losses of an unknown number. They stand behind
 * the journal.start of the hook that follows, or of a later run if that one was killed at once.
 */
export async function hookFindings(
  journals: Journals,
  journalRecords: readonly JournalRecord[],
): Promise<Finding[]> {
  const former = new Set<Former>();
  const starts = new Map<string, { readonly start: JournalRecord; isDetached: boolean }>();
  for (const one of journalRecords) {
    if (one.action === 'journal.withheld' || one.action === 'journal.checkpoint') continue;
    if (one.action === 'journal.loss' && !isEnd(one)) continue;
    const { journal } = journals.placeOf(one.row).file;
    // A file may have the records of several nodes.
    const place = `${journal}/${one.fields.host}`;
    const before = starts.get(place);
    if (one.action === 'journal.stop') {
      if (before !== undefined) before.isDetached = one.fields.hook_state === 'detached';
    } else if (one.action === 'journal.start') {
      starts.set(place, { start: one, isDetached: false });
      if (before === undefined || before.isDetached || isSame(before.start, one)) continue;
      const { boot, hook } = before.start;
      former.add({ boot, hook, journal, row: one.row });
    } else
      for (const open of former)
        if (open.journal === journal && isEndOf(open, one)) former.delete(open);
  }
  if (former.size === 0) return [];
  const lastExecs = await lastExecRows(journals);
  return [...former]
    .filter(({ journal, row }) => row < (lastExecs.get(journal) ?? 0))
    .map(({ row }) => ({ code: 'HOOK_END_UNTOLD', row }));
}

/** The row of the last exec of each journal; until there is one, a run may still record losses. */
async function lastExecRows(journals: Journals): Promise<Map<string, number>> {
  const rows = await journals.rows(
    'SELECT enum_code(file), max(rowid) FROM audited WHERE is_exec GROUP BY file ORDER BY 2',
  );
  return new Map(
    rows.map(([file, row]) => [journals.files[Number(file)]?.journal ?? '', Number(row)]),
  );
}

function isSame(a: JournalRecord, b: JournalRecord): boolean {
  return a.boot === b.boot && a.hook === b.hook;
}

/** Whether a loss is that of a boot's or a hook's end. */
function isEnd({ fields }: JournalRecord): boolean {
  const { loss_stage: stage, loss_count: count } = fields;
  return stage === 'reboot' || (stage === 'kernel' && count === null);
}

function isEndOf(former: Former, { boot, fields }: JournalRecord): boolean {
  if (fields.loss_stage === 'reboot') return fields.loss_boot_id === former.boot;
  return boot === former.boot && String(fields.loss_hook_id) === former.hook;
}
