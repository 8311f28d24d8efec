import { KEYS } from '../../record/fields.ts';
import { inResource } from '../columns.ts';
import type { Execs } from '../exec-lines/fill-table.ts';
import { KEY_MACRO } from '../graph.ts';
import type { Journals } from '../journals.ts';
import { CLOCKS } from './clocks.ts';
import { type AuditConfig, DEFAULT_CONFIG } from './config.ts';
import { NAMES } from './container-names.ts';
import type { Finding } from './finding.ts';
import { HASH, lineRules, OF_JOURNAL, problemsSql, RAW_TYPES, READ } from './line-rules.ts';
import { isOneOf } from './secrets.ts';
import { SeenExecs } from './seen/execs.ts';

/** The record_key() of a JSON string. Only a UUID has this length, and strlen() counts bytes. */
const QUOTED_KEY_MACRO = `CREATE OR REPLACE MACRO quoted_key(id) AS CASE
  WHEN strlen(id) = 38 AND lower(id) = id THEN
    coalesce(try_cast(substr(id, 2, 36) AS UUID), md5(substr(id, 2, length(id) - 2))::UUID)
  WHEN id IS NOT NULL THEN md5(substr(id, 2, length(id) - 2))::UUID END`;

const about = [
  ...['boot_time', ...OF_JOURNAL].map((column) => `${column}: ${column}`),
  `host: ${inResource(KEYS.hostName)}`,
].join(', ');

/** The columns of an exec that breaks no rule about one line. */
const EXECS: Execs = {
  areOrdinary: true,
  columns: [
    'zero',
    'id',
    'parent',
    'null',
    'boot',
    'bootTime',
    'wall',
    'age',
    ...NAMES.map((sql) => ({ ofResource: sql })),
    'hook',
    'cpu',
    'seq',
    'true',
    'false',
    'null',
  ],
};

/**
 * Reads all inputs once into the table `audited`, with what the checks over several lines need. Returns
 * what was seen of execs meanwhile; undefined: DuckDB must look at all of them.
 */
export async function loadAudited(
  journals: Journals,
  config: AuditConfig = DEFAULT_CONFIG,
): Promise<SeenExecs | undefined> {
  await journals.rows(KEY_MACRO);
  await journals.rows(QUOTED_KEY_MACRO);
  const seen = new SeenExecs();
  const isComplete = await journals.scan(
    'audited',
    READ,
    [
      problemsSql(config.rootPrefix),
      'quoted_key(id) AS id',
      'quoted_key(parent_cause) AS parent',
      `record_key(gap_lost_cause) AS lost`,
      'boot',
      'boot_ns AS boot_time',
      ...CLOCKS,
      ...NAMES,
      `try_cast(hook_id AS BIGINT) AS hook`,
      `try_cast(cpu AS INTEGER) AS cpu`,
      `seq`,
      `"action" = '"exec"' AS is_exec`,
      `${isOneOf(`"action"->>'$'`, config.netActions)} AS is_net`,
      `CASE WHEN starts_with("action", '"journal.')
         THEN to_json({action: "action"->>'$', ${about}})::VARCHAR END AS about`,
    ],
    { types: RAW_TYPES, first: HASH, execs: { ...EXECS, watcher: seen } },
  );
  if (!isComplete) return undefined;
  await seen.makeTable(journals.connection);
  return seen;
}

/** Returns the findings in single lines. */
export async function lineFindings(
  journals: Journals,
  { rootPrefix }: AuditConfig,
): Promise<Finding[]> {
  const rules = lineRules(rootPrefix);
  const rows = await journals.rows(
    'SELECT rowid, readable, problems FROM audited WHERE NOT readable OR problems > 0 ORDER BY rowid',
  );
  return rows.flatMap(([row, readable, problems]) => {
    if (readable !== true) return [{ code: 'LINE_UNREADABLE' as const, row: Number(row) }];
    return rules
      .filter((_, bit) => (Number(problems) >> bit) & 1)
      .map(([code]) => ({
        code,
        row: Number(row),
      }));
  });
}
