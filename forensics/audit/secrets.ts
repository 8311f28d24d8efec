import { literal } from '../columns.ts';
import { Graph } from '../graph.ts';
import type { Journals } from '../journals.ts';
import type { AuditConfig } from './config.ts';
import type { Finding } from './finding.ts';

const PATH = `CASE WHEN substr("object", 1, 1) = '{' THEN coalesce("object"->>'$.path', '') ELSE "object"->>'$' END`;

/**
 * Checks vCML's rule R3: when a process has touched a secret, it must be among the causes of its
 * network accesses.
 */
export async function secretFindings(journals: Journals, config: AuditConfig): Promise<Finding[]> {
  const [[any] = []] = await journals.rows('SELECT count(*) FROM audited WHERE is_net');
  // The scan of the audit does not look at the action of an ordinary exec.
  if (Number(any) === 0 && !config.netActions.includes('exec')) return [];
  const graph = await Graph.load(journals);
  await journals.scan(
    'touched',
    ['timestamp', 'pid', 'action', 'object'],
    [
      'timestamp',
      'pid',
      `${isOneOf('"action"', config.netActions)} AS is_net`,
      `(${secretSql(config)}) AS is_secret`,
    ],
    { types: { object: 'JSON' } },
  );
  const rows = await journals.rows(
    `SELECT rowid, pid, is_net, coalesce(is_secret, false) FROM touched
     WHERE readable AND (is_net OR is_secret) ORDER BY pid, "timestamp", rowid`,
  );
  const findings: Finding[] = [];
  const secrets = new Map<string, Set<number>>();
  for (const [at, pid, isNet, secret] of rows) {
    const row = Number(at);
    const touched = secrets.get(String(pid)) ?? new Set();
    secrets.set(String(pid), touched);
    if (secret === true) touched.add(row);
    if (isNet !== true || touched.size === 0) continue;
    const causes = graph.chainOf(row).slice(1);
    if (!causes.some((cause) => touched.has(cause)))
      findings.push({ code: 'CML-AUDIT-R3-SECRET_NET_MISSING_CHAIN', row });
  }
  return findings;
}

function secretSql({ secret }: AuditConfig): string {
  const isSecret = isOneOf(`"object"->>'$.classification'`, secret.classifications);
  return [
    `CASE WHEN substr("object", 1, 1) = '{' THEN ${isSecret} ELSE false END`,
    ...secret.pathPrefixes.map((prefix) => `starts_with(${PATH}, ${literal(prefix)})`),
    ...secret.extensions.map((extension) => `ends_with(${PATH}, ${literal(extension)})`),
  ].join(' OR ');
}

/** SQL that is true if an expression is one of these texts. */
export function isOneOf(sql: string, texts: readonly string[]): string {
  return texts.length === 0
    ? 'false'
    : `coalesce(${sql} IN (${texts.map(literal).join(', ')}), false)`;
}
