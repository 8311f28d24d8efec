/**
 * The rules for a single line: SQL conditions that are true if the line breaks the rule.
 *
 * The audit stays independent on purpose. From `record/` it takes where a value stands in a line,
 * and nothing of what the value must be: which attributes are always there, their closed lists, how
 * an id is made and how numbers follow each other is written here a second time. So a fault of the
 * writer is found by what does not share it.
 */

import { ENTRIES } from '../../record/fields/exec.ts';
import { KEYS } from '../../record/fields.ts';
import { inResource, literal } from '../columns.ts';
import type { Code } from './codes.ts';

/** What the audit and the links of causes read of the resource; each is a string. */
export const IN_RESOURCE = [
  KEYS.nodeName,
  KEYS.hostName,
  KEYS.osType,
  KEYS.containerId,
  KEYS.podUid,
  KEYS.namespace,
  KEYS.podName,
  KEYS.podContainerName,
];
const CONTAINER_ID = inResource(KEYS.containerId);

/** SQL types that the audit reads; it casts nothing, because a cast would hide what was written. */
export const RAW_TYPES: Readonly<Record<string, string>> = {
  id: 'JSON',
  timestamp: 'JSON',
  action: 'JSON',
  object: 'JSON',
  permitted_by: 'JSON',
  parent_cause: 'JSON',
  pid: 'JSON',
  uid: 'JSON',
  boot_time: 'VARCHAR',
  created: 'TIMESTAMP',
  resource: `STRUCT(${IN_RESOURCE.map((key) => `"${key}" VARCHAR`).join(', ')})`,
};

/** Attributes of every exec. */
export const OF_EXECS = [
  'boot_time',
  'hook_id',
  'cpu',
  'seq',
  'vpid',
  'created',
  'executable',
  'executable_name',
  'executable_inode',
  'executable_device',
  'executable_mode',
  'args_count',
  'working_directory',
  'euid',
  'suid',
  'pid_namespace',
  'mnt_namespace',
  'net_namespace',
  'user_namespace',
  'cgroup_namespace',
];
/** Attributes of records about the journal. */
export const OF_JOURNAL = [
  'hook_state',
  'hook_next_seq',
  'loss_stage',
  'loss_hook_id',
  'loss_cpu',
  'loss_first_seq',
  'loss_last_seq',
  'loss_count',
  'loss_boot_id',
  'loss_next_seq',
  'loss_since',
  'journal_records',
  'journal_gaps',
  'journal_losses',
  'format_version',
  'withheld_hook_id',
  'withheld_cpu',
  'withheld_ranges',
  'withheld_count',
];

/** The columns that these rules need, and the checks over several lines. */
export const READ = [
  'id',
  'timestamp',
  'pid',
  'uid',
  'action',
  'object',
  'permitted_by',
  'parent_cause',
  'boot_id',
  ...OF_EXECS,
  'args',
  'args_truncated',
  'gap_reason',
  'gap_lost_cause',
  'gap_ancestor_pid',
  'gap_ancestor_start_time',
  'unit',
  'entry',
  'metadata_state',
  ...OF_JOURNAL,
  'resource',
];

const ALWAYS = [...OF_EXECS, inResource(KEYS.hostName), inResource(KEYS.osType)];

/** Two times that were rounded separately may differ by this much. */
export const SLACK_US = 2000;

const HOOK_STATES = ['attached', 'resumed', 'upgraded', 'kept', 'detached'];
const LOSS_STAGES = [
  'ring_buffer',
  'quiet',
  'decode',
  'journal',
  'upgrade',
  'reboot',
  'kernel',
  'retention',
];
const STAGES = LOSS_STAGES.map(literal).join(', ');
const OURS = 'boot_id IS NOT NULL';
const EXEC = `(${OURS} AND "action" = '"exec"')`;
const ABOUT = `(${OURS} AND starts_with("action", '"journal.'))`;
const WITHHELD = `coalesce("action" = '"journal.withheld"', false)`;
const NO_PARENT = 'parent_cause IS NULL';
const ROOT = `starts_with(permitted_by, '"root_event:')`;
const GAP = `permitted_by = '"unobserved_parent"'`;
const RUN = ['loss_hook_id', 'loss_cpu', 'loss_first_seq', 'loss_last_seq'];
const every = (columns: readonly string[], what: string) =>
  `(${columns.map((column) => `${column} IS ${what}`).join(' AND ')})`;

const text = (column: string) =>
  `(starts_with("${column}", '"') AND "${column}" NOT IN ('""', '" "'))`;
const integer = (column: string) => isWritten(`try_cast("${column}" AS BIGINT)`, column);
const isWritten = (value: string, column: string) =>
  `coalesce(${value}::VARCHAR = "${column}", false)`;
const NAMED = `boot_id IS NOT NULL AND boot_time IS NOT NULL AND pid IS NOT NULL`;

/**
 * Expressions that are computed once: integers, the boot, the hash in an exec's id (RFC 9562,
 * version 5).
 */
export const HASH = `try_cast("timestamp" AS BIGINT) AS unix_ns,
  try_cast(boot_time AS BIGINT) AS boot_ns, try_cast(boot_id AS UUID) AS boot,
  sha1(boot::BLOB || encode(boot_time || ':' || pid)) AS hash`;

/**
 * A wall clock that was never set begins at 0 together with the boot clock, and Linux refuses to set
 * it behind the time since then without suspension. Only a machine that was suspended, and whose
 * clock was then set to its first hours, is reported wrongly. The two are not read at the same moment.
 */
const CLOCK_NS = 1_000_000_000;

/** This replaces DuckDB's translate(), which takes ten times as long. */
const VARIANT = `substr('89ab89ab89ab89ab', strpos('0123456789abcdef', substr(hash, 17, 1)), 1)`;
const RIGHT_ID = `concat('"', substr(hash, 1, 8), '-', substr(hash, 9, 4), '-5', substr(hash, 14, 3),
  '-', ${VARIANT}, substr(hash, 18, 3), '-', substr(hash, 21, 12), '"')`;

/**
 * The rules in their order; a line's problems are a sum of powers of two. No rule uses IN with more
 * than a few values, because DuckDB turns that into a join, which loses the order of lines.
 */
const LINE_RULES: readonly (readonly [Code, string])[] = [
  [
    'CORE_FIELD',
    `NOT (${text('id')} AND ${text('action')} AND ${text('permitted_by')}
     AND ${isWritten('unix_ns', 'timestamp')}
     AND (${WITHHELD} OR (${integer('pid')} AND ${integer('uid')}
       AND coalesce(substr("object", 1, 1) IN ('"', '{'), false)))
     AND coalesce(${text('parent_cause')}, true))`,
  ],
  ['ID_WRONG', `${EXEC} AND ${NAMED} AND id <> ${RIGHT_ID}`],
  [
    'PERMITTED_BY',
    `(${EXEC} AND CASE WHEN ${NO_PARENT} THEN ${ROOT}
       ELSE permitted_by IS DISTINCT FROM '"parent_process_context"' END)
     OR (${ABOUT} AND CASE WHEN ${NO_PARENT} THEN (${ROOT} OR ${GAP})
       AND permitted_by <> concat('"root_event:', "action"[2:]) ELSE true END)`,
  ],
  [
    'GAP_REASON',
    `${EXEC} AND CASE WHEN ${NO_PARENT}
       THEN coalesce(gap_reason NOT IN ('predates_hook', 'lost', 'untracked'), true)
       ELSE gap_reason IS NOT NULL END
     OR (gap_reason IS NOT DISTINCT FROM 'lost') <> (gap_lost_cause IS NOT NULL)
     OR (gap_reason IS NOT DISTINCT FROM 'predates_hook') <> (gap_ancestor_pid IS NOT NULL)
     OR (gap_ancestor_start_time IS NULL) <> (gap_ancestor_pid IS NULL)`,
  ],
  [
    'LOSS_FIELDS',
    `CASE WHEN "action" = '"journal.loss"' THEN CASE
       WHEN coalesce(NOT list_contains([${STAGES}], loss_stage), true) THEN true
       WHEN loss_stage = 'reboot' THEN loss_boot_id IS NULL OR loss_next_seq IS NULL
         OR NOT ${every([...RUN, 'loss_count'], 'NULL')}
       WHEN loss_boot_id IS NOT NULL THEN true
       WHEN loss_stage = 'kernel' THEN NOT ${every(RUN.slice(1), 'NULL')} OR loss_hook_id IS NULL
         OR loss_count < 1
         OR (loss_count IS NOT NULL AND NOT ${every(['loss_since', 'loss_next_seq'], 'NULL')})
       WHEN NOT ${every(['loss_since', 'loss_next_seq'], 'NULL')} THEN true
       WHEN loss_stage = 'retention' AND ${every(RUN.slice(1), 'NULL')}
         THEN loss_hook_id IS NULL OR loss_count IS NOT NULL
       WHEN loss_stage = 'decode' AND ${every(RUN.slice(1), 'NULL')}
         THEN loss_hook_id IS NULL OR coalesce(loss_count < 1, true)
       ELSE NOT ${every(RUN, 'NOT NULL')}
         OR loss_count IS DISTINCT FROM loss_last_seq::HUGEINT - loss_first_seq + 1 OR loss_count < 1
     END ELSE loss_stage IS NOT NULL END`,
  ],
  // What is wrong with a journal.withheld itself is found beside the check of its id.
  [
    'WITHHELD_FIELDS',
    `NOT ${WITHHELD} AND (withheld_hook_id IS NOT NULL OR withheld_cpu IS NOT NULL
       OR withheld_ranges IS NOT NULL OR withheld_count IS NOT NULL)`,
  ],
  [
    'HOOK_REMOVED',
    `coalesce("action" = '"journal.loss"' AND loss_stage = 'kernel' AND loss_count IS NULL, false)`,
  ],
  [
    'FIELD_MISSING',
    `(${EXEC} AND (${ALWAYS.map((column) => `${column} IS NULL`).join(' OR ')}))
     OR (${ABOUT} AND (boot_time IS NULL OR ("action" = '"journal.start"'
       AND (hook_id IS NULL OR hook_state IS NULL OR hook_next_seq IS NULL))
       OR ("action" = '"journal.stop"' AND (journal_records IS NULL OR journal_gaps IS NULL
         OR journal_losses IS NULL))))`,
  ],
  [
    'FIELD_VALUE',
    `${OURS} AND (unix_ns < greatest(coalesce(boot_ns, 0), 0) - ${CLOCK_NS}
       OR strlen(boot_id) <> 36 OR seq < 1 OR cpu < 0 OR cpu > 2147483647
       OR boot_time IS NOT NULL AND coalesce(boot_ns < 0, true)
         AND try_cast(boot_time AS UBIGINT) IS NULL
       OR (${HOOK_STATES.map((state) => `hook_state <> '${state}'`).join(' AND ')})
       OR entry NOT IN (${ENTRIES.map(literal).join(', ')}) OR metadata_state NOT IN ('complete', 'partial')
       OR NOT (${EXEC} OR ${ABOUT}))`,
  ],
  [
    'ARGUMENTS',
    `${EXEC} AND args IS NOT NULL AND CASE WHEN args_truncated THEN len(args) > args_count
       ELSE len(args) <> args_count END`,
  ],
  [
    'CREATED_LATER',
    `${EXEC} AND epoch_us(created) >
       unix_ns // 1000 + ${SLACK_US}`,
  ],
  [
    'CONTAINER',
    `${EXEC} AND ((entry IS NOT NULL AND ${CONTAINER_ID} IS NULL AND unit IS NULL)
       OR (unit IS NOT NULL AND ${CONTAINER_ID} IS NOT NULL)
       OR (entry = 'session' AND unit IS NULL)
       OR (metadata_state IS NOT NULL) <>
         (${CONTAINER_ID} IS NOT NULL AND ${inResource(KEYS.podUid)} IS NOT NULL))`,
  ],
];

/** The rules for a line, with the two that depend on what `permitted_by` of a root begins with. */
export function lineRules(rootPrefix: string): readonly (readonly [Code, string])[] {
  const begins = (text: string) =>
    `starts_with(permitted_by, ${literal(JSON.stringify(text).slice(0, -1))})`;
  const unmarked = `${NO_PARENT} AND NOT ${GAP} AND NOT ${begins(rootPrefix)}`;
  // A prefix of one character has no shorter form that somebody may have meant.
  const almost = rootPrefix.length > 1 ? begins(rootPrefix.slice(0, -1)) : 'false';
  return [
    ...LINE_RULES,
    ['CML-AUDIT-R4-AMBIGUOUS_ROOT', `${unmarked} AND ${almost}`],
    ['CML-AUDIT-R2-GAP_NOT_MARKED', `${unmarked} AND NOT ${almost}`],
  ];
}

/** The sum of the rules that a line breaks; 0 for a line that is not a record. */
export function problemsSql(rootPrefix: string): string {
  const bits = lineRules(rootPrefix).map(
    ([, sql], bit) => `CASE WHEN (${sql}) THEN ${2 ** bit} ELSE 0 END`,
  );
  return `CASE WHEN id IS NULL THEN 0 ELSE (${bits.join(' + ')})::INTEGER END AS problems`;
}
