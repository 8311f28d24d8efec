import { counted } from '../../../record/describe.ts';
import type { StoredRecord } from '../../../record/read.ts';
import { rfc3339Of } from '../../../record/time.ts';
import { endSentence, sentencesOf } from '../../output/sentences.ts';
import { type Selection, timeRangeOf } from '../../select/filter.ts';
import type { Branches, Chain, Part, Which } from '../memory.ts';
import type { Parameters } from '../parameters.ts';
import { Refusal } from '../refusal.ts';
import { packed, recordsIn } from './packed.ts';
import { type Answered, type Question, RECORDS, RECORDS_MAX } from './question.ts';

/** Answers with records of a selection by time. */
export async function records({ memory, parameters, signal }: Question): Promise<Answered> {
  const { selection } = parameters;
  const part = partIn(parameters);
  const { lines, next, prev } = await memory.records(selection, part, signal);
  const count = (selected: Selection) =>
    memory.ask(selected, signal, async ({ records: table, ask }) => {
      const { rows } = await ask(`SELECT count(*) AS matched FROM ${table} AS one`);
      return Number(rows[0]?.[0] ?? 0);
    });
  const matched = part.place === undefined ? await count(selection) : undefined;
  const isBefore = part.from === undefined ? undefined : before(selection, part.from);
  const known = part.isBackwards ? (matched ?? 0) - lines.length : 0;
  const position = isBefore === undefined ? known : await count(isBefore);
  return {
    ...packed(recordsIn(lines)),
    next: next ?? null,
    prev: prev ?? null,
    matched: matched ?? null,
    position: matched === undefined ? null : position,
  };
}

/** Selects the records before a time. */
function before(selection: Selection, time: bigint): Selection {
  const { until } = timeRangeOf(selection, Date.now());
  if (until !== undefined && until <= time) return selection;
  return { ...selection, until: rfc3339Of(time) ?? '' };
}

/** Answers with the records of a selection whose cause is not in it. */
export async function tree(question: Question): Promise<Answered> {
  const { memory, parameters, signal } = question;
  const part = partIn(parameters);
  return branches(question, await memory.roots(parameters.selection, part, signal));
}

/** Answers with the records that a record caused. */
export async function children(question: Question): Promise<Answered> {
  const { memory, parameters, signal } = question;
  const found = await memory.children(whichIn(question), partIn(parameters), signal);
  return branches(question, found);
}

/** Answers with a record, its causes, and what the audit log of the API server says about them. */
export async function record(question: Question): Promise<Answered> {
  const { memory, signal, about } = question;
  const found = await memory.chain(whichIn(question), signal);
  const chain = recordsIn(found.lines);
  const sentences = sentencesAbout(chain, found);
  return {
    ...packed(chain),
    id: chain[0]?.id ?? about,
    notes: await notesOn(question, chain),
    between: found.between,
    children: found.children,
    end: sentences.at(-1) ?? null,
    sentences,
  };
}

function sentencesAbout(
  chain: readonly StoredRecord[],
  { between, isCircle }: Pick<Chain, 'between' | 'isCircle'>,
): string[] {
  const last = chain.at(-1);
  if (between === 0 || last === undefined) return sentencesOf(chain);
  return [
    ...sentencesOf(chain.slice(0, -1)).slice(0, -1),
    `Before that are ${counted(between, 'more cause')}, which are left out here.`,
    ...sentencesOf([last]).slice(0, -1),
    endSentence(last, isCircle),
  ];
}

async function branches(
  question: Question,
  { lines, next, children: counts }: Branches,
): Promise<Answered> {
  const found = recordsIn(lines);
  return {
    ...packed(found),
    notes: await notesOn(question, found),
    children: counts,
    next: next ?? null,
  };
}

async function notesOn({ auditLogFor, signal }: Question, found: readonly StoredRecord[]) {
  const { remarksOn } = await auditLogFor(found, signal);
  return found
    .map((one, place) => [place, remarksOn(one)] as const)
    .filter(([, texts]) => texts.length > 0);
}

function whichIn({ about, parameters }: Question): Which {
  const { text, selection } = parameters;
  return { id: about, on: text('on'), at: timeIn(text, 'at'), hint: selection };
}

function partIn({ text, number }: Question['parameters']): Part {
  const [after, back, from] = [text('after'), text('before'), text('from')];
  if ([after, back, from].filter((one) => one !== undefined).length > 1)
    throw new Refusal(400, 'after, before and from exclude each other: give one of them');
  return {
    place: back === 'end' ? undefined : (after ?? back),
    isBackwards: back !== undefined,
    from: timeIn(text, 'from'),
    limit: number('limit', RECORDS, RECORDS_MAX),
  };
}

function timeIn(text: Parameters['text'], name: string): bigint | undefined {
  const time = text(name);
  if (time === undefined) return undefined;
  if (!/^\d{1,19}$/.test(time) || rfc3339Of(BigInt(time)) === undefined)
    throw new Refusal(400, `${name} must be a time in Unix nanoseconds`);
  return BigInt(time);
}
