import { join } from 'node:path';
import { USAGES } from '../../redact/commands/usages.ts';
import { createRedactor } from '../../redact/redactor.ts';
import { type CommandLine, readCorpus } from '../../test/redact/corpus.ts';
import { tally, type Verdict, verdictOf } from '../../test/redact/verdict.ts';
import { header, row } from './rows.ts';

/** The tables of docs/redaction.md: what becomes of the command lines of a list, and usage lines. */
export const REDACTION_TABLES: Readonly<Record<string, () => string>> = {
  'redaction figures': figures,
  'redaction left': () => listed(({ left }) => left),
  'redaction changed': () => listed(({ hasSecrets, tooMuch }) => !hasSecrets && tooMuch),
  'usage lines': () => fenced(USAGES.join('\n')),
};

const HEADINGS = ['Kind', 'With a secret', 'Caught', 'Left', 'Too wide', 'Without', 'Changed'];
const CORPUS = join(import.meta.dirname, '../../test/redact/corpus');

interface Judged {
  readonly line: CommandLine;
  readonly verdict: Verdict;
}

let judged: readonly Judged[] | undefined;

function judgedLines(): readonly Judged[] {
  const redact = createRedactor();
  judged ??= readCorpus(CORPUS).map((line) => ({ line, verdict: verdictOf(line, redact) }));
  return judged;
}

function figures(): string {
  const all = judgedLines();
  const kinds = Map.groupBy(all, ({ line }) => line.kind);
  const rows = [...kinds].map(([kind, lines]) => figuresOf(kind, lines));
  const head = header(...HEADINGS);
  return `${head}${rows.join('')}${figuresOf('**all**', all)}`;
}

function figuresOf(kind: string, lines: readonly Judged[]): string {
  const { withSecrets, left, tooMuch, without, changed } = tally(lines.map((line) => line.verdict));
  const numbers = [withSecrets, withSecrets - left, left, tooMuch, without, changed];
  return row(kind, ...numbers.map(String));
}

/** Lines of a verdict, by their kinds. */
function listed(matches: (verdict: Verdict) => boolean): string {
  const lines = judgedLines().filter(({ verdict }) => matches(verdict));
  const kinds = Map.groupBy(lines, ({ line }) => line.kind);
  const groups = [...kinds].map(([kind, found]) =>
    [`# ${kind}`, ...found.map(({ line }) => line.line)].join('\n'),
  );
  return fenced(groups.join('\n\n'));
}

function fenced(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\`\n`;
}
