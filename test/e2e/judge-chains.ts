import { isDeepStrictEqual } from 'node:util';
import type { JournalLine } from '../support/journal/followed-journal.ts';

/** A chain that a test made. */
export interface Chain {
  /** in the arguments of its last exec, behind the name of the program */
  readonly mark: string;
  /** the name of its pod */
  readonly pod: string;
  /** what permitted it, as `vcml.authority.*`; empty: nothing says so */
  readonly authority: Readonly<Record<string, unknown>>;
}

/** What a journal says of the chains that a test made. */
export interface Judgement {
  /** the chains that it does not have, or not with their authority, although it says nothing about that */
  readonly missing: string[];
  /** the chains for which it names another authority or pod, or another place of it */
  readonly wrong: string[];
  /** the chains whose authority it has in part, and whose metadata it says is partial */
  readonly partial: string[];
  /** how many chains end at a process that is older than the agent, without an authority */
  bare: number;
}

/** Compares chains with the records of a journal. A mark that occurs twice has two chains. */
export function judgeChains(chains: readonly Chain[], records: readonly JournalLine[]): Judgement {
  const byId = new Map(records.map((record) => [record.id, record]));
  const byMark = Map.groupBy(records.filter(isLast), markOf);
  const wanted = Map.groupBy(chains, ({ mark }) => mark);
  const judgement: Judgement = { missing: [], wrong: [], partial: [], bare: 0 };
  for (const [mark, [chain, ...others]] of wanted) {
    const found = (byMark.get(mark) ?? []).map((last) => pathTo(last, byId));
    const count = others.length + 1;
    if (chain === undefined || found.length < count) judgement.missing.push(mark);
    else for (const path of found) judge(chain, path, judgement);
    judgement.bare += found.slice(0, count).filter(isBare).length;
  }
  return judgement;
}

function judge({ mark, pod, authority }: Chain, path: readonly JournalLine[], to: Judgement): void {
  const entries = path.filter(({ attributes }) => attributes['vcml.entry'] !== undefined);
  const [entry] = entries;
  const permitted = path.filter((record) => !isWithoutAuthority(record));
  const found = Object.assign({}, ...permitted.map(authorityOf));
  const isPartial = entry?.attributes['vcml.metadata.state'] === 'partial';
  if (!isWhole(path) || entry === undefined) to.missing.push(mark);
  else if (
    entries.length > 1 ||
    entry.resource['k8s.pod.name'] !== pod ||
    permitted.some((record) => record !== entry) ||
    !isDeepStrictEqual({ ...authority, ...found }, authority)
  )
    to.wrong.push(`${mark}: ${JSON.stringify(found)} in ${entry.resource['k8s.pod.name']}`);
  else if (!isDeepStrictEqual(found, authority)) (isPartial ? to.partial : to.missing).push(mark);
}

/** Returns a record and its causes, as far as the journal has them. */
function pathTo(last: JournalLine, byId: ReadonlyMap<string, JournalLine>): JournalLine[] {
  const path: JournalLine[] = [];
  for (let next: JournalLine | undefined = last; next !== undefined; ) {
    path.push(next);
    next = byId.get(next.parent_cause ?? '');
  }
  return path;
}

function isBare(path: readonly JournalLine[]): boolean {
  return isWhole(path) && path.every(isWithoutAuthority);
}

/** Returns whether a chain ends at a process that is older than the agent, as its last record says. */
function isWhole(path: readonly JournalLine[]): boolean {
  return path.at(-1)?.attributes['vcml.gap.reason'] === 'predates_hook';
}

/** Returns the attributes of a record about its authority, without their prefix. */
export function authorityOf({ attributes }: JournalLine): Record<string, unknown> {
  const prefix = 'vcml.authority.';
  return Object.fromEntries(
    Object.entries(attributes)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

function isWithoutAuthority({ attributes }: JournalLine): boolean {
  return attributes['vcml.authority.type'] === undefined;
}

/** Returns whether a record is that of /bin/true, which executes nothing. */
function isLast({ action, attributes }: JournalLine): boolean {
  const args = attributes['process.command_args'];
  return action === 'exec' && Array.isArray(args) && /true$/.test(args[0]);
}

function markOf({ attributes }: JournalLine): string {
  return (attributes['process.command_args'] as readonly string[]).slice(1).join(' ');
}
