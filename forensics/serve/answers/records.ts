import { readRecord } from '../../../record/read.ts';
import { rfc3339Of } from '../../../record/time.ts';
import { sentencesOf } from '../../output/sentences.ts';
import type { Selection } from '../../select/filter.ts';
import { momentOf } from '../../select/time.ts';
import type { Branches, Part } from '../memory.ts';
import { Refusal } from '../refusal.ts';
import { packLines, recordsIn } from './packed.ts';
import { type Answered, type Question, RECORDS, RECORDS_MAX } from './question.ts';

/** Answers with records of a selection by time. */
export async function records({ memory, parameters, signal }: Question): Promise<Answered> {
  const { selection } = parameters;
  const part = partOf(parameters);
  const from = parameters.text('from');
  const isFirst = part.after === undefined;
  const { lines, next } = await memory.records(beginningAt(selection, from), part, signal);
  const matched = isFirst
    ? await memory.ask(selection, signal, ({ records: table, ask }) =>
        ask(`SELECT count(*) AS matched FROM ${table} AS one`),
      )
    : undefined;
  return { ...packLines(lines), next: next ?? null, matched: matched?.rows[0]?.[0] ?? null };
}

/** Leaves out the records before a time in Unix nanoseconds. */
function beginningAt(selection: Selection, from: string | undefined): Selection {
  if (from === undefined) return selection;
  const since = /^\d{1,19}$/.test(from) ? rfc3339Of(BigInt(from)) : undefined;
  if (since === undefined) throw new Refusal(400, 'from must be a time in Unix nanoseconds');
  const isLater =
    selection.since === undefined || momentOf(selection.since, Date.now()) < BigInt(from);
  return isLater ? { ...selection, since } : selection;
}

/** Answers with the records of a selection whose cause is not in it. */
export async function tree(question: Question): Promise<Answered> {
  const { memory, parameters, signal } = question;
  const part = partOf(parameters);
  return branches(question, await memory.roots(parameters.selection, part, signal));
}

/** Answers with the records that a record caused. */
export async function children(question: Question): Promise<Answered> {
  const { memory, parameters, signal, about } = question;
  const { selection } = parameters;
  return branches(question, await memory.children(about, partOf(parameters), selection, signal));
}

/** Answers with a record, its causes, and what the audit log of the API server says about them. */
export async function record(question: Question): Promise<Answered> {
  const { memory, parameters, signal, about } = question;
  const { selection } = parameters;
  const found = await memory.chain(about, selection, signal);
  const chain = recordsIn(found.lines);
  return {
    ...packLines(found.lines),
    id: chain[0]?.id ?? about,
    notes: notesOn(question, found.lines),
    children: found.children,
    end: sentencesOf(chain).at(-1) ?? null,
    sentences: sentencesOf(chain),
  };
}

function branches(question: Question, { lines, next, children: counts }: Branches): Answered {
  const readable = lines.map((line) => readRecord(line) !== undefined);
  return {
    ...packLines(lines),
    notes: notesOn(question, lines),
    children: counts.filter((_, index) => readable[index]),
    next: next ?? null,
  };
}

function notesOn({ auditLog }: Question, lines: readonly string[]) {
  return recordsIn(lines)
    .map((one) => [one.id, auditLog.candidatesOf(one)] as const)
    .filter(([, texts]) => texts.length > 0);
}

function partOf({ text, number }: Question['parameters']): Part {
  return { after: text('after'), limit: number('limit', RECORDS, RECORDS_MAX) };
}
