import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listValues } from './values-yaml.ts';

/** Returns the chart's README.md: README.head.md, and after it a table of every value. */
export function chartReadme(): string {
  const text = readFileSync(join(import.meta.dirname, 'README.head.md'), 'utf8');
  const rows = listValues()
    .filter(({ value }) => value !== undefined)
    .map(({ key, description, value }) =>
      [`\`${key}\``, description, `\`${JSON.stringify(value)}\``].map((cell) =>
        cell.replaceAll('|', '\\|'),
      ),
    );
  const table = [['value', 'what it does', 'default'], ['---', '---', '---'], ...rows];
  return `${text}\n${table.map((cells) => `| ${cells.join(' | ')} |\n`).join('')}`;
}
