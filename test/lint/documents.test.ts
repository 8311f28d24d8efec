import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOG_EVENTS } from '../../agent/log-events.ts';
import { unknownQuotes } from '../../lint/documents/quotes.ts';
import { withTables } from '../../lint/documents/tables.ts';
import { readCorpus } from '../redact/corpus.ts';

const { sentence } = LOG_EVENTS['export.collector_unavailable'];

test('a marked table is written again, and the text around it stays', () => {
  const document = (table: string) =>
    `before\n<!-- generated: exit codes -->\n${table}<!-- end of generated -->\nbehind\n`;
  const fresh = withTables(document('| old |\n'));
  match(fresh, /^before\n<!-- generated: exit codes -->\n\n\| Exit code \| Meaning \|\n/);
  match(fresh, /\n\| 75 \| Another agent holds the hook or the journal, or a cat runs\. \|\n/);
  match(fresh, /\n\n<!-- end of generated -->\nbehind\n$/);
  equal(withTables(fresh), fresh);
});

test('a table without a registry is an error', () => {
  throws(
    () => withTables('<!-- generated: none -->\n<!-- end of generated -->'),
    /no .* table none/,
  );
});

test('placeholders of an error are in capitals', () => {
  const table = withTables('<!-- generated: errors -->\n<!-- end of generated -->');
  match(
    table,
    /\| `JOURNAL_BUSY` \| 75 \| the journal `PATH` is being written by process `PID` \| Stop/,
  );
});

test('the figures of redaction count every line of the list once', () => {
  const table = withTables('<!-- generated: redaction figures -->\n<!-- end of generated -->');
  const rows = [...table.matchAll(/^\| (.+?) \| ([\d |]+) \|$/gm)].map(
    ([, kind = '', numbers = '']) => ({
      kind,
      numbers: numbers.split(' | ').map(Number),
    }),
  );
  const all = rows.pop();
  const lines = readCorpus(join(import.meta.dirname, '../redact/corpus'));
  deepEqual(
    rows.map(({ kind }) => kind),
    [...new Set(lines.map(({ kind }) => kind))],
  );
  for (const column of [0, 1, 2, 3, 4, 5])
    equal(
      rows.reduce((sum, { numbers }) => sum + (numbers[column] ?? 0), 0),
      all?.numbers[column],
    );
  const [withSecrets = 0, caught = 0, left = 0, , without = 0] = all?.numbers ?? [];
  equal(withSecrets + without, lines.length);
  equal(caught + left, withSecrets);
});

const tableOf = (heading: string, cell: string) =>
  `| ${heading} | cause |\n|---|---|\n| ${cell} | x |\n`;

test('a message that a table quotes exists in the sources', () => {
  const cells = [
    `\`${sentence}\``,
    '`the journal … cannot be used`, with `x`',
    '`kubectl get pods`',
  ];
  for (const cell of cells) deepEqual(unknownQuotes(tableOf('the log says', cell)), [], cell);
  deepEqual(unknownQuotes(tableOf('exit code and message', '73 `the journal … is on fire`')), [
    '3: no message says: the journal … is on fire',
  ]);
});

test('code in other tables, other columns and text is not a message', () => {
  deepEqual(unknownQuotes(tableOf('option', '`never said so`')), []);
  deepEqual(unknownQuotes('`never said so`\n\n| message | x |\n|---|---|\n| a | `or so` |\n'), []);
});
