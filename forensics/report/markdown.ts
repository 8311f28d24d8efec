import { counted } from '../../record/describe.ts';
import type { StoredRecord } from '../../record/read.ts';
import { visible } from '../../record/visible.ts';
import { sentencesOf } from '../output/sentences.ts';
import { contentOf, gapOf, headOf, shortId } from '../output/text.ts';
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
  const remarks = [...(notes ?? [])].flatMap(([place, texts]) =>
    texts.map((text) => `${shortId(records[place]?.id ?? '')}: ${text}`),
  );
  return [
    `# ${visible(title)}\n`,
    section('In sentences', sentencesOf(chain)),
    section('Records', records.map(textOf)),
    section('What permitted it, and who may have asked for it', remarks),
    section('What is missing', warnings),
    section('Made from', [`vcml ${selection}`, ...read]),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

/** A record in two lines, and a third one for a gap; a file has no colours. */
function textOf(record: StoredRecord): string {
  const { parentCause, action } = record;
  const cause = parentCause === undefined ? '' : `  ← ${shortId(parentCause)}`;
  const gap = action === 'exec' ? gapOf(record) : undefined;
  const head = headOf(record, (_, text) => text);
  return `${head}${cause}\n    ${contentOf(record)}${gap === undefined ? '' : `\n    ⁇ ${gap}`}`;
}

/** Visible lines in a fenced block; no line of them can end it. */
function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const text = lines.join('\n');
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `## ${title}\n\n${fence}text\n${text}\n${fence}\n`;
}
