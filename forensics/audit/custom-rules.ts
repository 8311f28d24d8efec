import { literal } from '../columns.ts';
import { Graph } from '../graph.ts';
import type { Journals } from '../journals.ts';
import { type ActionClass, type AuditConfig, CLASSES, type CustomRule } from './config.ts';
import type { Finding } from './finding.ts';

/** Checks the custom rules: each record of a class has a cause with what the rule requires. */
export async function customFindings(
  journals: Journals,
  { custom, disabled }: AuditConfig,
): Promise<Finding[]> {
  const rules = custom.filter(({ id }) => !disabled.has(id));
  if (rules.length === 0) return [];
  const graph = await Graph.load(journals);
  const findings: Finding[] = [];
  for (const [n, rule] of rules.entries()) {
    const table = `ruled_${n}`;
    const columns = [`${isOf(rule.trigger)} AS is_judged`, `(${isRequired(rule)}) AS is_required`];
    await journals.scan(table, ['action', 'permitted_by'], columns);
    const rows = await journals.rows(
      `SELECT rowid, coalesce(is_judged, false), coalesce(is_required, false) FROM ${table}
       WHERE readable AND (is_judged OR is_required) ORDER BY rowid`,
    );
    const required = new Set<number>();
    for (const [row, , is] of rows) if (is === true) required.add(Number(row));
    for (const [at, judged] of rows) {
      const row = Number(at);
      if (judged !== true) continue;
      const causes = graph.chainOf(row).slice(1);
      if (!causes.some((cause) => required.has(cause))) findings.push(findingOf(rule, row));
    }
  }
  return findings;
}

function findingOf({ id, code, severity, description }: CustomRule, row: number): Finding {
  return { code: 'CUSTOM_RULE', shownCode: code, row, severity, more: `${id}: ${description}` };
}

function isOf(one: ActionClass): string {
  return `(lower("action") IN (${CLASSES[one].map(literal).join(', ')}))`;
}

function isRequired({ causeClass, causePrefix }: CustomRule): string {
  const conditions = ['true'];
  if (causeClass !== undefined) conditions.push(isOf(causeClass));
  if (causePrefix !== undefined)
    conditions.push(`starts_with(permitted_by, ${literal(causePrefix)})`);
  return conditions.join(' AND ');
}
