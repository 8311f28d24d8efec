/**
 * Writes the tables of the documents that are made from declarations: errors, log events, the record's
 * fields. With --check, reports those that are stale, and messages that documents quote and no source
 * has.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unknownQuotes } from './quotes.ts';
import { withTables } from './tables.ts';

const ROOT = join(import.meta.dirname, '../..');
const isCheck = process.argv.includes('--check');

for (const file of globSync('docs/**/*.md', { cwd: ROOT })) {
  const path = join(ROOT, file);
  const text = readFileSync(path, 'utf8');
  const fresh = withTables(text);
  if (!isCheck) {
    if (fresh !== text) writeFileSync(path, fresh);
    continue;
  }
  if (fresh !== text) report(`${file} is stale: make generate`);
  for (const problem of unknownQuotes(text)) report(`${file}:${problem}`);
}

function report(problem: string): void {
  console.error(problem);
  process.exitCode = 1;
}
