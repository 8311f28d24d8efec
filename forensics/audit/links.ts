import { makeRowTable } from '../exec-lines/append.ts';
import type { Journals } from '../journals.ts';
import type { Code } from './codes.ts';
import type { Finding } from './finding.ts';
import { SLACK_US } from './line-rules.ts';
import type { SeenExecs } from './seen/execs.ts';

/**
 * How many numbers of a hook are not in these files because they were written before them or
 * deleted for space, so that causes may have them; Infinity: nobody knows.
 */
export type Absent = (boot: string, hook: string) => number;

/** How many records of a hook are not in these files, and why. */
interface Missing {
  readonly absent: Absent;
  withheld(boot: string, hook: string): number;
  untold(boot: string, hook: string): number;
}

/**
 * Finds ids that occur twice, and links that lead nowhere, to a wrong record or back in time. Of what was
 * seen while the lines were read, only the links that were not clear are looked at again.
 */
export async function linkFindings(
  journals: Journals,
  missing: Missing,
  seen?: SeenExecs,
): Promise<Finding[]> {
  const unclear = seen?.unclear;
  if (unclear === undefined || (await hasOthersId(journals)))
    return [...(await duplicates(journals)), ...(await links(journals, 'audited', missing))];
  await makeRowTable(journals.connection, 'unclear', unclear);
  const effects = `(SELECT rowid, * FROM audited SEMI JOIN unclear ON audited.rowid = unclear."row")`;
  const [[any] = []] = await journals.rows(`SELECT count(parent) FROM ${effects}`);
  return Number(any) === 0 ? [] : links(journals, effects, missing);
}

/** Whether a line that was not seen has the id of another line. */
async function hasOthersId(journals: Journals): Promise<boolean> {
  const [[found] = []] = await journals.rows(
    `WITH other AS (SELECT id FROM audited SEMI JOIN other_lines ON audited.rowid = other_lines."row"
       WHERE id IS NOT NULL)
     SELECT count(*) > (SELECT count(*) FROM other) OR count(*) > count(DISTINCT id)
     FROM audited SEMI JOIN other USING (id)`,
  );
  return found === true;
}

async function duplicates(journals: Journals): Promise<Finding[]> {
  const rows = await journals.rows(
    `SELECT a.rowid FROM audited a JOIN (
       SELECT id, min(rowid) AS first FROM audited WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1
     ) b ON a.id = b.id AND a.rowid > b.first`,
  );
  return rows.map(([row]) => ({ code: 'ID_DUPLICATE', row: Number(row) }));
}

const CREATED = (one: string) => `(${one}.boot_time // 1000 - ${one}.age_us)`;
/**
 * A process inherits its cause when it is forked, which is behind the cause. Only the process that
 * was the cause itself began before.
 */
const IS_CREATED_EARLIER = `child.boot = parent.boot AND child.is_exec AND parent.is_exec
  AND ${CREATED('child')} < parent.boot_time // 1000 - ${SLACK_US}
  AND abs(${CREATED('child')} - ${CREATED('parent')}) > 1`;

/** Any of several parents with the same id; that there are several is a finding of its own. */
async function links(journals: Journals, effects: string, counts: Missing): Promise<Finding[]> {
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
       child.boot::VARCHAR, child.hook::VARCHAR, ${IS_CREATED_EARLIER}, child.parent::VARCHAR
     FROM ${effects} child LEFT JOIN (
       SELECT rowid, id, file, boot, boot_time, age_us, is_exec, about IS NOT NULL AS is_about FROM audited
     ) parent ON child.parent = parent.id
     WHERE child.parent IS NOT NULL AND (parent.id IS NULL OR child.rowid <= parent.rowid
       OR child.boot IS DISTINCT FROM parent.boot OR child.boot_time < parent.boot_time
       OR (NOT parent.is_exec AND parent.is_about) OR (${IS_CREATED_EARLIER}))
     ORDER BY child.rowid`,
  );
  const causes = new AbsentCauses(counts);
  return rows.flatMap((found): Finding[] => {
    const [at, missing, otherBoot, noExec, later, order, boot, hook, early, cause] = found;
    const finding = (code: Code): Finding => ({ code, row: Number(at) });
    if (missing === true) {
      const r1 = finding('CML-AUDIT-R1-MISSING_PARENT');
      if (boot === null) return [r1];
      const why = causes.explain(`${boot}`, `${hook}`, `${cause}`);
      return why === undefined ? [] : [{ ...r1, ...why }];
    }
    if (otherBoot === true) return [finding('LINK_BOOT')];
    if (noExec === true && boot !== null) return [finding('LINK_NOT_EXEC')];
    if (order === true) return [finding('LINK_ORDER')];
    if (later === true) return [finding('LINK_TIME')];
    return early === true ? [finding('CREATED_EARLIER')] : [];
  });
}

/** What a link to a missing record becomes; undefined: it is explained, and nothing to report. */
type Why = Pick<Finding, 'severity' | 'more'> | undefined;

const BEFORE: Why = { severity: 'NOTE', more: 'it was written before these files, or deleted' };
const UNTOLD: Why = {
  severity: 'WARN',
  more: 'an agent of format 1 does not say what exportRules withheld',
};

/** The missing causes of a hook. Each of them needs a number of its own that is not here. */
class AbsentCauses {
  readonly #counts: Missing;
  readonly #byHook = new Map<
    string,
    { readonly known: Map<string, Why>; readonly kinds: readonly (readonly [number, Why])[] }
  >();

  constructor(counts: Missing) {
    this.#counts = counts;
  }

  explain(boot: string, hook: string, cause: string): Why {
    const key = `${boot}/${hook}`;
    const { absent, withheld, untold } = this.#counts;
    const of = this.#byHook.get(key) ?? {
      known: new Map(),
      kinds: [
        [withheld(boot, hook), undefined],
        [absent(boot, hook), BEFORE],
        [untold(boot, hook), UNTOLD],
      ],
    };
    this.#byHook.set(key, of);
    if (of.known.has(cause)) return of.known.get(cause);
    let before = of.known.size;
    for (const [most, why] of of.kinds) {
      if (before < most) {
        of.known.set(cause, why);
        return why;
      }
      before -= most;
    }
    return {};
  }
}
