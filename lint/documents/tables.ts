import { ERRORS, EXIT_MEANINGS, NATIVE_ERRORS } from '../../agent/errors.ts';
import { LOG_EVENTS, type LogEvent } from '../../agent/log-events.ts';
import { CODES } from '../../forensics/audit/codes.ts';
import { FIELD_TABLES } from './fields.ts';
import { REDACTION_TABLES } from './redaction.ts';
import { header, row } from './rows.ts';

/** The tables of the documents that are made from declarations, by the name in their markers. */
const TABLES: Readonly<Record<string, () => string>> = {
  'log events': logEvents,
  'exit codes': exitCodes,
  errors,
  ...FIELD_TABLES,
  ...REDACTION_TABLES,
  'audit findings': auditFindings,
};

const MARKED = /(<!-- generated: ([a-z ]+) -->\n)[\s\S]*?(<!-- end of generated -->)/g;

/** A document with its generated tables as they should be. */
export function withTables(document: string): string {
  return document.replaceAll(MARKED, (_, begin: string, name: string, end: string) => {
    const table = TABLES[name];
    if (table === undefined) throw new Error(`there is no generated table ${name}`);
    return `${begin}\n${table()}\n${end}`;
  });
}

function logEvents(): string {
  const rows = Object.entries(LOG_EVENTS).map(
    ([code, { level, sentence, remedy }]: Row<LogEvent>) =>
      row(`\`${code}\``, level, marked(sentence), remedy && sentenceOf(marked(remedy))),
  );
  return `${header('Event', 'Level', 'Message', 'What to do')}${rows.join('')}`;
}

function exitCodes(): string {
  const rows = Object.entries(EXIT_MEANINGS).map(([code, meaning]) =>
    row(code, sentenceOf(meaning)),
  );
  return `${header('Exit code', 'Meaning')}${rows.join('')}`;
}

function errors(): string {
  const rows = Object.entries({ ...ERRORS, ...NATIVE_ERRORS }).map(
    ([code, { exitCode, sentence, remedy }]: Row<ErrorEntry>) =>
      row(`\`${code}\``, `${exitCode}`, marked(sentence), remedy && sentenceOf(marked(remedy))),
  );
  return `${header('Error', 'Exit code', 'Message', 'What to do')}${rows.join('')}`;
}

function auditFindings(): string {
  const rows = Object.entries(CODES).map(([code, [severity, sentence]]) =>
    row(`\`${code}\``, severity, sentenceOf(marked(sentence))),
  );
  return `${header('Code', 'Severity', 'Meaning')}${rows.join('')}`;
}

type Row<Entry> = [code: string, entry: Entry];

interface ErrorEntry {
  readonly exitCode: number;
  readonly sentence: string;
  readonly remedy?: string;
}

const NAME =
  /--[a-z-]+|\b(?:[A-Z]+_[A-Z_]+(?:=\w+)?|[a-z]{2,}[A-Z]\w+|[a-z]+(?:[._][a-z_]+)+(?:\.\*)?)(?!\w)/g;

/** Names of options, variables and attributes as code; `{path}` becomes `PATH`. */
function marked(text: string): string {
  return text
    .replaceAll(NAME, '`$&`')
    .replaceAll(/\{`?(\w+?)`?\}/g, (_, name: string) => `\`${name.toUpperCase()}\``);
}

function sentenceOf(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
