import { type Layout, statements } from './statements.ts';
import { versionStatement } from './version.ts';

/** Returns all statements of a store as one text for `clickhouse client`. */
export function ddl(layout: Layout): string {
  const all = [...statements(layout), versionStatement(layout)];
  return all.map(({ sql }) => `${sql};\n`).join('\n');
}
