import type { Journals } from '../journals.ts';
import type { Finding } from './finding.ts';
import type { Absent } from './links.ts';

/** What a hook has lost up to a line, and what its gaps ascribe to that. */
interface Lost {
  /** The earliest boot time at which one of the lost execs can have been. */
  since: bigint;
  count: bigint;
  readonly causes: Set<string>;
}

/**
 * Finds gaps `lost` that no earlier loss can cover. The id of a lost cause does not have its number.
 * But the cause is an exec of the same hook, so that only losses of that hook's numbers count. It is
 * earlier than its effect, so that a loss of numbers behind a later exec does not cover it. And so
 * many different causes as there are need as many lost numbers.
 */
export async function lostCauseFindings(journals: Journals, absent: Absent): Promise<Finding[]> {
  // Without such gaps, the ids of all records are not needed.
  const [[any] = []] = await journals.rows('SELECT count(lost) FROM audited');
  if (Number(any) === 0) return [];
  const findings: Finding[] = [];
  const byHook = new Map<string, Lost>();
  for (const [at, boot, hook, time, cause, present, count] of await steps(journals)) {
    const key = `${boot}/${hook}`;
    const lost = byHook.get(key) ?? { since: 2n ** 64n, count: 0n, causes: new Set() };
    byHook.set(key, lost);
    if (cause === null) {
      const since = BigInt(time as bigint);
      if (since < lost.since) lost.since = since;
      lost.count += BigInt(count as bigint);
      continue;
    }
    const row = Number(at);
    if (present === true) findings.push({ code: 'GAP_LOST_PRESENT', row });
    else if (absent(String(boot), String(hook)) === 0) {
      const isCovered = lost.causes.size < lost.count || lost.causes.has(String(cause));
      if (!isCovered || BigInt(time as bigint) < lost.since)
        findings.push({ code: 'GAP_LOST_UNTOLD', row });
      lost.causes.add(String(cause));
    }
  }
  return findings;
}

/**
 * Losses and gaps in the order of lines. The time of a loss is that of the exec whose number precedes
 * it, or 0. Records that were deleted for space are causes all the same, so that they leave no gap.
 */
function steps(journals: Journals) {
  return journals.rows(
    `WITH read AS (
       SELECT rowid AS row, boot, about->>'$.loss_stage' AS stage,
         try_cast(about->>'$.loss_hook_id' AS BIGINT) AS hook,
         try_cast(about->>'$.loss_cpu' AS INTEGER) AS cpu,
         try_cast(about->>'$.loss_first_seq' AS HUGEINT) AS first,
         try_cast(about->>'$.loss_last_seq' AS HUGEINT) - first + 1 AS count
       FROM audited WHERE about IS NOT NULL),
     loss AS (SELECT * FROM read
       WHERE stage <> 'retention' AND first IS NOT NULL AND count IS NOT NULL)
     SELECT loss.row, loss.boot::VARCHAR, loss.hook::VARCHAR, coalesce(before.boot_time, 0), NULL,
       false, loss.count
     FROM loss LEFT JOIN audited before ON before.is_exec AND before.boot = loss.boot
       AND before.hook = loss.hook AND before.cpu = loss.cpu AND before.seq = loss.first - 1
     UNION ALL
     SELECT rowid, boot::VARCHAR, hook::VARCHAR, coalesce(boot_time, 0), lost::VARCHAR,
       lost IN (SELECT id FROM audited WHERE id IS NOT NULL), NULL
     FROM audited WHERE lost IS NOT NULL ORDER BY 1`,
  );
}
