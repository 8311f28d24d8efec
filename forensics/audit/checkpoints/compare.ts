import { counted } from '../../../record/describe.ts';
import { isWitnessed } from './content.ts';
import type { Met, TreeFinding } from './history.ts';
import type { VerifiedJournal } from './of-journals.ts';
import type { Witness, Witnessed } from './witness.ts';
import { checkpointInWords, durationInWords, timeInWords } from './words.ts';

/** What a witness says of journals. */
export interface Compared {
  readonly findings: readonly TreeFinding[];
  /** the last checkpoint of each journal that is witnessed */
  readonly witnessed: ReadonlyMap<VerifiedJournal, Met>;
}

/** The checkpoints of one epoch in all journals among the inputs. */
interface Epoch {
  readonly bySize: Map<number, Met[]>;
  first: number;
  last: number;
  /** the journal of the last one */
  end: VerifiedJournal;
  /** Whether a part of it is not among the inputs, and it is known why. */
  hasHoles: boolean;
}

/** Compares journals with what left their nodes. */
export function compareWith(witness: Witness, journals: readonly VerifiedJournal[]): Compared {
  const epochs = epochsOf(journals);
  const findings: TreeFinding[] = [...witness.findings];
  const matched = new Set<Met>();
  for (const [epoch, known] of epochs)
    findings.push(...compareEpoch(known, witness.epochs.get(epoch) ?? new Map(), matched));
  for (const { checkpoints } of journals) findings.push(...otherEnds(checkpoints, witness));
  const witnessed = new Map<VerifiedJournal, Met>();
  for (const journal of journals) {
    const last = journal.checkpoints.findLast((one) => matched.has(one));
    if (last !== undefined) witnessed.set(journal, last);
  }
  findings.push(...otherEpochs(witness, epochs, journals, witnessed, matched));
  for (const journal of journals) findings.push(...unwitnessed(journal, matched, witness));
  return { findings, witnessed };
}

function epochsOf(journals: readonly VerifiedJournal[]): Map<string, Epoch> {
  const epochs = new Map<string, Epoch>();
  for (const journal of journals)
    for (const met of journal.checkpoints) {
      const { epoch, size } = met.checkpoint;
      const begun = { bySize: new Map(), first: size, last: size, end: journal, hasHoles: false };
      const known: Epoch = epochs.get(epoch) ?? begun;
      epochs.set(epoch, known);
      known.bySize.set(size, [...(known.bySize.get(size) ?? []), met]);
      known.first = Math.min(known.first, size);
      if (size > known.last) known.end = journal;
      known.last = Math.max(known.last, size);
      known.hasHoles ||= journal.hasHoles;
    }
  return epochs;
}

/** Compares the checkpoints of an epoch; adds those that are the same to `matched`. */
function compareEpoch(
  { bySize, first, last, end: journal, hasHoles }: Epoch,
  sizes: ReadonlyMap<number, Witnessed>,
  matched: Set<Met>,
): TreeFinding[] {
  const forked: { readonly met: Met; readonly one: Witnessed }[] = [];
  const ahead: Witnessed[] = [];
  const missing: Witnessed[] = [];
  for (const [size, one] of [...sizes].sort(([a], [b]) => a - b)) {
    const met = bySize.get(size);
    for (const each of met ?? [])
      if (isSame(each, one)) matched.add(each);
      else forked.push({ met: each, one });
    if (met === undefined && size > last) ahead.push(one);
    if (met === undefined && size > first && size < last) missing.push(one);
  }
  const findings: TreeFinding[] = [];
  const [fork] = forked;
  if (fork !== undefined) findings.push(forkFinding(fork, forked.length - 1));
  const end = bySize.get(last)?.[0];
  if (missing.length > 0 && end !== undefined && !hasHoles)
    findings.push({
      code: 'CHECKPOINT_MISSING',
      path: end.path,
      more: `${counted(missing.length, 'checkpoint')} that the witness has, the first is the ${checkpointInWords(missing[0] as Witnessed)} in ${missing[0]?.place}`,
    });
  if (end !== undefined && !journal.isCutOff) findings.push(...aheadFindings(ahead, end));
  return findings;
}

/** Whether a checkpoint is the witnessed one. Its line differs if something was added to the resource. */
function isSame(met: Met, { checkpoint, lineHash, content }: Witnessed): boolean {
  if (met.lineHash === lineHash) return true;
  if (met.checkpoint.root !== checkpoint.root || met.checkpoint.id !== checkpoint.id) return false;
  return isWitnessed(met.content, content);
}

/** Finds epochs that name another end of the epoch before them than the witness has. */
function otherEnds(checkpoints: readonly Met[], witness: Witness): TreeFinding[] {
  return checkpoints.flatMap((met) => {
    const { previous, id } = met.checkpoint;
    const one = previous && witness.epochs.get(previous.epoch)?.get(previous.size);
    if (one === undefined || one.checkpoint.root === previous?.root) return [];
    const more = `the ${checkpointInWords(met)} names another root of the ${checkpointInWords(one)} before it than ${one.place} has`;
    return [{ code: 'WITNESS_FORKED', path: met.path, line: met.line, id, more }];
  });
}

function forkFinding(
  { met, one }: { readonly met: Met; readonly one: Witnessed },
  more: number,
): TreeFinding {
  const differs = met.checkpoint.root === one.checkpoint.root ? 'other words' : 'another root';
  const later = more === 0 ? '' : `, and ${counted(more, 'later checkpoint')} as well`;
  return {
    code: 'WITNESS_FORKED',
    path: met.path,
    line: met.line,
    id: met.checkpoint.id,
    more: `the ${checkpointInWords(met)} has ${differs} than in ${one.place}${later}; what was written before it, after the last one that agrees, is not what was recorded`,
  };
}

function aheadFindings(ahead: readonly Witnessed[], end: Met): TreeFinding[] {
  const [first, last] = [ahead[0], ahead.at(-1)];
  if (first === undefined || last === undefined) return [];
  return [
    {
      code: 'WITNESS_AHEAD',
      path: end.path,
      more: `${counted(ahead.length, 'checkpoint')} behind the ${checkpointInWords(end)}, up to ${timeInWords(last.checkpoint.time)} (${last.place}): the journal was cut or replaced by an older copy, or this is a copy from before then`,
    },
  ];
}

/** Finds epochs of the nodes that no journal has, although nothing says that they were deleted for space. */
function otherEpochs(
  witness: Witness,
  epochs: ReadonlyMap<string, Epoch>,
  journals: readonly VerifiedJournal[],
  witnessed: ReadonlyMap<VerifiedJournal, Met>,
  matched: ReadonlySet<Met>,
): TreeFinding[] {
  const findings: TreeFinding[] = [];
  for (const [epoch, sizes] of witness.epochs) {
    if (epochs.has(epoch)) continue;
    const all = [...sizes.values()].sort((a, b) => a.checkpoint.size - b.checkpoint.size);
    const last = all.at(-1);
    if (last === undefined) continue;
    const { host, size, time } = last.checkpoint;
    const ofHost = journals.filter((one) => one.host === host && one.checkpoints.length > 0);
    const [first] = ofHost;
    if (first === undefined) continue;
    const isDeleted = (journal: VerifiedJournal) =>
      endedBefore(journal, last, witness, matched) ??
      (witnessed.has(journal) && isBefore(last, journal));
    if (ofHost.some(isDeleted)) continue;
    findings.push({
      code: 'WITNESS_AHEAD',
      path: first.path,
      more: `no checkpoint of the epoch ${epoch} is in the journal, and the witness has ${size} of this node, up to ${timeInWords(time)} (${last.place}): the journal was removed or replaced, unless it is of a time after that`,
    });
  }
  return findings;
}

/**
 * Whether an epoch ended before what a journal has, so that it may have been deleted for space; undefined:
 * the epochs do not say it.
 */
function endedBefore(
  { checkpoints }: VerifiedJournal,
  { checkpoint: ended }: Witnessed,
  witness: Witness,
  matched: ReadonlySet<Met>,
): boolean | undefined {
  const begin = checkpoints[0]?.checkpoint;
  if (begin === undefined || begin.reason === 'new') return false;
  const isOwn = ({ checkpoint }: Met) => checkpoint.epoch === begin.epoch;
  // An epoch that nobody has seen can claim to follow checkpoints that nobody has seen.
  let isWitnessed =
    begin.reason === undefined || checkpoints.some((one) => isOwn(one) && matched.has(one));
  const seen = new Set<string>();
  let one = begin.reason === undefined ? firstOf(witness, begin.epoch) : begin;
  while (one?.previous !== undefined && !seen.has(one.epoch)) {
    seen.add(one.epoch);
    const { epoch, size, root } = one.previous;
    if (epoch === ended.epoch)
      return size === ended.size ? root === ended.root : size > ended.size && isWitnessed;
    one = firstOf(witness, epoch);
    isWitnessed = true;
  }
  return undefined;
}

function isBefore({ checkpoint }: Witnessed, { checkpoints }: VerifiedJournal): boolean {
  const begin = checkpoints[0]?.checkpoint;
  return begin !== undefined && BigInt(checkpoint.time) < BigInt(begin.time);
}

function firstOf(witness: Witness, epoch: string): Witnessed['checkpoint'] | undefined {
  return witness.epochs.get(epoch)?.get(1)?.checkpoint;
}

/** Says which lines of a journal nobody has witnessed. */
function unwitnessed(
  journal: VerifiedJournal,
  matched: ReadonlySet<Met>,
  witness: Witness,
): TreeFinding[] {
  const { checkpoints, tail, path } = journal;
  const last = checkpoints.findLastIndex((one) => matched.has(one));
  if (last < 0) {
    const { host } = journal;
    const ofHost = [...witness.epochs.values()].some((sizes) =>
      [...sizes.values()].some(({ checkpoint }) => checkpoint.host === host),
    );
    // An agent of format 1 makes none.
    if (checkpoints.length === 0 && host !== undefined && !ofHost) return [];
    const own = checkpoints.length === 0 ? 'it has none, and ' : '';
    const others = ofHost ? 'others of this node' : 'none of this node';
    return [{ code: 'NOT_WITNESSED', path, more: `${own}the witness has ${others}` }];
  }
  const witnessed = checkpoints[last] as Met;
  const findings: TreeFinding[] = [];
  const gaps = checkpoints.filter(
    (one, at) => at < last && isUncovered(one, at, checkpoints, matched),
  );
  for (const one of gaps)
    findings.push({
      code: 'LINES_UNWITNESSED',
      path: one.path,
      line: one.line,
      more: `up to the ${checkpointInWords(one)}, the last of its epoch`,
    });
  const length = tailLength(checkpoints.slice(last + 1), tail, witnessed);
  if (length.records > 0)
    findings.push({
      code: 'LINES_UNWITNESSED',
      path: checkpoints[last + 1]?.path ?? tail[0]?.path ?? witnessed.path,
      more: `${counted(length.records, 'record')} in ${length.time} behind the ${checkpointInWords(witnessed)}`,
    });
  return findings;
}

/** Whether the last checkpoint of an epoch is covered neither by the witness nor by the next epoch. */
function isUncovered(
  { checkpoint }: Met,
  at: number,
  all: readonly Met[],
  matched: ReadonlySet<Met>,
): boolean {
  const next = all[at + 1];
  if (next === undefined || next.checkpoint.epoch === checkpoint.epoch) return false;
  const { previous } = next.checkpoint;
  const names =
    previous?.epoch === checkpoint.epoch &&
    previous.size === checkpoint.size &&
    previous.root === checkpoint.root;
  const isNextMatched = all.some(
    (one) => one.checkpoint.epoch === next.checkpoint.epoch && matched.has(one),
  );
  return !matched.has(all[at] as Met) && !(names && isNextMatched);
}

/** How much is behind a checkpoint. */
export function tailLength(
  blocks: readonly Met[],
  tail: VerifiedJournal['tail'],
  since: Met,
): { readonly records: number; readonly time: string } {
  const all = [...blocks, ...tail];
  const records = all.reduce((sum, { lines }) => sum + lines, blocks.length);
  const end =
    all.findLast(({ last }) => last !== undefined)?.last ?? blocks.at(-1)?.checkpoint.time;
  return { records, time: durationInWords(since.checkpoint.time, end ?? since.checkpoint.time) };
}
