import type { Journals } from '../journals.ts';
import type { Code } from './codes.ts';
import type { Finding } from './finding.ts';

/**
 * Hooks whose earlier records are missing from these files or were deleted; their parents may be
 * elsewhere.
 */
export type Incomplete = (boot: string, hook: string) => boolean;

/** Finds ids that occur twice, and links that lead nowhere, to a wrong record or back in time. */
export async function linkFindings(journals: Journals, incomplete: Incomplete): Promise<Finding[]> {
  return [...(await duplicates(journals)), ...(await links(journals, incomplete))];
}

async function duplicates(journals: Journals): Promise<Finding[]> {
  const rows = await journals.rows(
    `SELECT a.rowid FROM audited a JOIN (
       SELECT id, min(rowid) AS first FROM audited WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1
     ) b ON a.id = b.id AND a.rowid > b.first`,
  );
  return rows.map(([row]) => ({ code: 'ID_DUPLICATE', row: Number(row) }));
}

/** Any of several parents with the same id; that there are several is a finding of its own. */
async function links(journals: Journals, incomplete: Incomplete): Promise<Finding[]> {
  const journalOf = new Map<string, number>();
  const numbers = journals.files.map(({ journal }) => {
    if (!journalOf.has(journal)) journalOf.set(journal, journalOf.size);
    return journalOf.get(journal) ?? 0;
  });
  const journalIn = (file: string) => `[${numbers.join(', ')}][enum_code(${file})::INTEGER + 1]`;
  const rows = await journals.rows(
    `SELECT child.rowid, parent.id IS NULL, child.boot <> parent.boot, NOT parent.is_exec,
       child.boot_time < parent.boot_time AND child.boot = parent.boot,
       child.rowid <= parent.rowid
         AND (child.file = parent.file OR ${journalIn('child.file')} = ${journalIn('parent.file')}),
       child.boot::VARCHAR, child.hook::VARCHAR
     FROM audited child LEFT JOIN audited parent ON child.parent = parent.id
     WHERE child.parent IS NOT NULL AND (parent.id IS NULL OR child.rowid <= parent.rowid
       OR child.boot IS DISTINCT FROM parent.boot OR child.boot_time < parent.boot_time
       OR (NOT parent.is_exec AND parent.about IS NOT NULL))`,
  );
  return rows.flatMap(([row, missing, otherBoot, noExec, later, order, boot, hook]): Finding[] => {
    const found = (code: Code): Finding => ({ code, row: Number(row) });
    if (missing === true) {
      const explained = boot !== null && incomplete(String(boot), String(hook));
      const r1 = found('CML-AUDIT-R1-MISSING_PARENT');
      if (!explained) return [r1];
      return [{ ...r1, severity: 'NOTE', more: 'it was written before these files, or deleted' }];
    }
    if (otherBoot === true) return [found('LINK_BOOT')];
    if (noExec === true && boot !== null) return [found('LINK_NOT_EXEC')];
    if (order === true) return [found('LINK_ORDER')];
    return later === true ? [found('LINK_TIME')] : [];
  });
}
