import { counted } from '../../record/describe.ts';
import type { StoredRecord } from '../../record/read.ts';
import { visible } from '../../record/visible.ts';
import { endSentence, sentenceOf } from '../output/sentences.ts';
import { commandOf, gapOf, placeOf, shortId, timeOf, userOf } from '../output/text.ts';
import type { ReportInput } from './render.ts';

/** What a report in Markdown is made from. */
export interface MarkdownInput extends Omit<ReportInput, 'records'> {
  /** by time */
  readonly records: readonly StoredRecord[];
  /** the record that the report is about, and its causes, the nearest first */
  readonly chain: readonly StoredRecord[];
}

/**
 * Renders the report as Markdown, for a ticket. Everything from records is in fenced blocks, where no
 * Markdown and no HTML has a meaning.
 */
export function renderMarkdown(input: MarkdownInput): string {
  const { title, selection, generatedFrom, records, chain, notes } = input;
  const { inputs, warnings = [] } = generatedFrom;
  const read = inputs.map(
    ({ path, records, skippedLines }) =>
      `${visible(path)}: ${counted(records, 'record')}` +
      (skippedLines > 0 ? `, skipped ${counted(skippedLines, 'line')}` : ''),
  );
  const candidates = [...(notes ?? [])].flatMap(([id, texts]) =>
    texts.map((text) => `${shortId(id)}: ${text}`),
  );
  return [
    `# ${visible(title)}\n`,
    section('In sentences', sentencesOf(chain)),
    section('Records', records.map(textOf)),
    section('Who may have asked for it', candidates),
    section('What is missing', warnings),
    section('Made from', [`vcml ${selection}`, ...read]),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function sentencesOf(chain: readonly StoredRecord[]): string[] {
  const last = chain.at(-1);
  if (last === undefined) return [];
  const isCircle = chain.some(({ id }) => id === last.parentCause);
  return [
    ...chain.map((record, depth) => sentenceOf(record, chain[depth - 1])),
    endSentence(last, isCircle),
  ];
}

/** A record in two lines, its ids last. */
function textOf(record: StoredRecord): string {
  const { timestamp, comm = '?', pid = '?', action, object, id, parentCause } = record;
  const isExec = action === 'exec';
  const head = [
    timeOf(timestamp),
    ...(isExec ? [userOf(record), visible(`${comm}[${pid}]`)] : [visible(action)]),
    placeOf(record),
    shortId(id),
    ...(parentCause === undefined ? [] : [`← ${shortId(parentCause)}`]),
  ];
  const gap = isExec ? gapOf(record) : undefined;
  const body = isExec ? commandOf(record) : visible(object);
  return `${head.join('  ')}\n    ${body}${gap === undefined ? '' : `\n    ⁇ ${gap}`}`;
}

/** Visible lines in a fenced block; no line of them can end it. */
function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const text = lines.join('\n');
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `## ${title}\n\n${fence}text\n${text}\n${fence}\n`;
}
