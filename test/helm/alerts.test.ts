import { deepEqual, ok } from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../support/paths.ts';

const RUNBOOKS = join(ROOT, 'docs/runbooks');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly runbook: string };
}

const [{ rules }]: [{ rules: readonly Rule[] }] = parse(
  readFileSync(join(ROOT, 'deploy/alerts/vcml-agent.yaml'), 'utf8'),
).groups;
const dashboard: { readonly panels: readonly { targets?: readonly { expr: string }[] }[] } =
  JSON.parse(readFileSync(join(ROOT, 'deploy/dashboards/vcml-agent.json'), 'utf8'));

/** The names in the second column of docs/metrics.md. */
const METRICS = new Set(
  Array.from(
    readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8').matchAll(/^\|[^|]+\| `(\w+)/gm),
    ([, name]) => name,
  ),
);

/** Returns the metrics that a query reads. */
function metricsIn(expr: string): string[] {
  const bare = expr.replaceAll(/\{[^}]*\}|\[[^\]]*\]|\b(by|on) \([^)]*\)/g, '');
  return bare.match(/\b(vcml|process)_\w+/g) ?? [];
}

test('alerts and dashboard query only metrics that exist', () => {
  const queries = [
    ...rules.map(({ expr }) => expr),
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ];
  ok(queries.length > 25);
  ok(METRICS.size > 25);
  for (const query of queries)
    for (const name of metricsIn(query)) ok(METRICS.has(name), `${name} in ${query}`);
});

test('each alert has a page, and the title of the page names it', () => {
  for (const { alert, annotations } of rules) {
    const page = join(ROOT, annotations.runbook);
    ok(existsSync(page), page);
    const [title = ''] = readFileSync(page, 'utf8').split('\n');
    ok(title.includes(alert), `${annotations.runbook}: ${title}`);
  }
});

test('the list of runbooks has every page and every alert', () => {
  const list = readFileSync(join(RUNBOOKS, 'README.md'), 'utf8');
  for (const { alert } of rules) ok(list.includes(`\`${alert}\``), alert);
  const pages = readdirSync(RUNBOOKS).filter((name) => name !== 'README.md');
  deepEqual(
    pages.filter((name) => !list.includes(`(${name})`)),
    [],
  );
});
