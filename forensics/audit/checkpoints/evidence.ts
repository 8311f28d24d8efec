import { counted } from '../../../record/describe.ts';
import { ForensicsError } from '../../errors.ts';
import type { Journals } from '../../journals.ts';
import { CODES } from '../codes.ts';
import { type Compared, compareWith, tailLength } from './compare.ts';
import type { Met, TreeFinding } from './history.ts';
import { segmentsOf, type VerifiedJournal, verifyJournals } from './of-journals.ts';
import type { Witness } from './witness.ts';
import { checkpointInWords, timeInWords } from './words.ts';

/** What checkpoints show of all inputs. */
export interface Evidence {
  readonly findings: readonly TreeFinding[];
  /** how far the journals are verified, a sentence each */
  readonly sentences: readonly string[];
}

/** Throws if a witness has nothing to be compared with. */
export function refuseNothingCompared({ files, isPartial }: Journals): void {
  if (isPartial || files.some((file) => segmentsOf(file).length > 0)) return;
  throw new ForensicsError(
    'usage',
    '--witness compares segments of a journal, and none is among the inputs: name the folder of the journal',
  );
}

/** Verifies journals by their checkpoints, and by those that left their nodes if there is a witness. */
export async function evidenceIn(journals: Journals, witness?: Witness): Promise<Evidence> {
  const verified = await verifyJournals(journals);
  const compared = witness && compareWith(witness, verified);
  const others = journals.files.filter((file) => segmentsOf(file).length === 0);
  const findings = [
    ...verified.flatMap(({ findings: own }) => own),
    ...verified.flatMap(tailFindings),
    ...forksAmong(verified),
    ...(compared?.findings ?? []),
    ...(witness === undefined ? [] : others.map(notCompared)),
  ];
  const failing = new Set(
    findings.filter(({ code }) => CODES[code][0] === 'FAIL').map(({ path }) => path),
  );
  const sentences = verified.map((journal) => sentenceOf(journal, compared, failing));
  if (others.length > 0)
    sentences.push(
      others.length === 1
        ? '1 input is no segment of a journal: changes in it cannot be found'
        : `${others.length} inputs are no segments of a journal: changes in them cannot be found`,
    );
  return { findings, sentences };
}

function notCompared({ path }: { readonly path: string }): TreeFinding {
  const more = 'this input is no segment of a journal, so that it cannot be compared';
  return { code: 'NOT_WITNESSED', path, more };
}

/** Tells the lines behind the last checkpoint. Of a journal without any, a sentence says it. */
function tailFindings({ checkpoints, tail }: VerifiedJournal): TreeFinding[] {
  const last = checkpoints.at(-1);
  if (last === undefined) return [];
  return tail
    .filter(({ bytes }) => bytes > 0)
    .map((one) => ({
      code: 'LINES_UNVERIFIED',
      path: one.path,
      more: `${one.bytes} bytes with ${counted(one.lines, 'line')}, ${tailLength([], [one], last).time} behind the ${checkpointInWords(last)}`,
    }));
}

/** Finds checkpoints of one epoch and size that differ, also between journals. */
function forksAmong(journals: readonly VerifiedJournal[]): TreeFinding[] {
  const findings: TreeFinding[] = [];
  const known = new Map<string, Met>();
  const forked = new Set<string>();
  for (const met of journals.flatMap(({ checkpoints }) => checkpoints)) {
    const { epoch, size, root, id } = met.checkpoint;
    const key = `${epoch}/${size}`;
    const other = known.get(key);
    if (other === undefined) known.set(key, met);
    else if (
      (other.checkpoint.root !== root || other.lineHash !== met.lineHash) &&
      !forked.has(epoch)
    ) {
      forked.add(epoch);
      const more = `the ${checkpointInWords(met)} differs from the one in ${other.path}, line ${other.line}`;
      findings.push({ code: 'CHECKPOINT_FORKED', path: met.path, line: met.line, id, more });
    }
  }
  return findings;
}

function sentenceOf(
  journal: VerifiedJournal,
  compared: Compared | undefined,
  failing: ReadonlySet<string>,
): string {
  const { path, checkpoints, tail } = journal;
  const last = checkpoints.at(-1);
  if (last === undefined)
    return `${path}: it cannot be said whether lines were changed, because there are no checkpoints`;
  const paths = [path, ...checkpoints.map((one) => one.path), ...tail.map((one) => one.path)];
  if (paths.some((one) => failing.has(one)))
    return `${path}: the checkpoints do not verify; the findings say where`;
  if (compared === undefined) {
    const { records, time } = tailLength([], tail, last);
    const behind =
      records === 0 ? '' : `; ${counted(records, 'record')} in the ${time} behind have none yet`;
    return `${path}: verified up to ${timeInWords(last.checkpoint.time)} by the checkpoints in the journal${behind}. Whoever is root on the node can have rewritten all of it: compare it with what left the node (--witness)`;
  }
  const witnessed = compared.witnessed.get(journal);
  if (witnessed === undefined) return `${path}: no checkpoint is witnessed`;
  const { records, time } = tailLength(checkpoints.slice(witnessed.index + 1), tail, witnessed);
  const behind =
    records === 0 ? '' : `; the last ${time} (${counted(records, 'record')}) are unwitnessed`;
  return `${path}: verified up to ${timeInWords(witnessed.checkpoint.time)} (witnessed)${behind}`;
}
