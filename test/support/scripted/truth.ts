import { uuid5 } from '../../check/uuid.ts';
import type { JournalLine } from '../journal/followed-journal.ts';
import type { ScriptedExec } from './script.ts';

/** What a scripted kernel did under one hook, and what journals say about it. */
export interface Account {
  readonly hookId: string;
  readonly bootId: string;
  /** The execs that have happened. */
  readonly execs: readonly ScriptedExec[];
  /** Every line that the journal ever had. */
  readonly history: readonly JournalLine[];
  /** Those that it still has. */
  readonly remaining: readonly JournalLine[];
  /** The ranges of deletions.json, which the next run records. */
  readonly pending?: readonly PendingRange[];
  /** Whether what follows the last number of each CPU may be missing, because the power was cut. */
  readonly isCut?: boolean;
}

/** A range of deletions.json. */
export interface PendingRange {
  readonly hookId: string;
  readonly cpu: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

const STAGES = {
  damaged: 'decode',
  foreign: 'upgrade',
  lost: 'ring_buffer',
  quiet: 'quiet',
} as const;

/** A range of numbers that a journal.loss speaks of. */
interface Range {
  readonly stage: string;
  readonly cpu: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Finds where a journal does not say what has happened: each exec has one record with the right
 * link, or one loss of the right stage, and what was deleted has a loss of stage retention.
 */
export function judgeAccount(account: Account): string[] {
  const { execs, hookId } = account;
  const findings: string[] = [];
  const records = Map.groupBy(
    account.history.filter((line) => isExecOf(line, hookId)),
    ({ attributes }) => `${attributes['vcml.cpu']}:${attributes['vcml.seq']}`,
  );
  const remaining = new Set(account.remaining.map(({ id }) => id));
  const losses = rangesOf(account.history, hookId).filter(({ stage }) => stage !== 'retention');
  const deleted = [
    ...rangesOf(account.remaining, hookId).filter(({ stage }) => stage === 'retention'),
    ...pendingOf(account),
  ];
  const lossesLeft = rangesOf(account.remaining, hookId);
  const last = account.isCut ? lastNumbers(account) : undefined;
  for (const exec of execs) {
    if (last !== undefined && exec.seq > (last.get(exec.cpu) ?? 0)) continue;
    const what = `cpu ${exec.cpu}, number ${exec.seq} (${exec.fate})`;
    const lines = records.get(`${exec.cpu}:${exec.seq}`) ?? [];
    const covered = losses.filter((range) => covers(range, exec));
    const isDeleted = deleted.some((range) => covers(range, exec));
    if (exec.fate === 'sound') {
      if (lines.length !== 1) findings.push(`${what}: ${lines.length} records`);
      if (covered.length > 0) findings.push(`${what}: lost as ${covered[0]?.stage}`);
      for (const line of lines) {
        if (!remaining.has(line.id) && !isDeleted) findings.push(`${what}: gone, nothing says so`);
        const isForgotten = deleted.some(
          (range) => isExec(exec.cause) && covers(range, exec.cause),
        );
        const link = judgeLink(line, exec, account, isForgotten);
        findings.push(...link.map((finding) => `${what}: ${finding}`));
      }
    } else {
      if (lines.length > 0) findings.push(`${what}: ${lines.length} records`);
      if (covered.length !== 1) findings.push(`${what}: ${covered.length} losses`);
      for (const { stage } of covered)
        if (stage !== STAGES[exec.fate]) findings.push(`${what}: lost as ${stage}`);
      if (!isDeleted && !lossesLeft.some((range) => covers(range, exec)))
        findings.push(`${what}: its loss is gone`);
    }
  }
  findings.push(...foreignNumbers(account, records));
  findings.push(...repeatedDeletions(account));
  return findings;
}

/** Returns the last number of each CPU that a journal still speaks of. */
export function lastNumbers(
  account: Pick<Account, 'remaining' | 'pending' | 'hookId'>,
): Map<number, number> {
  const { remaining, hookId } = account;
  const last = new Map<number, number>();
  const note = (cpu: number, seq: number) => last.set(cpu, Math.max(seq, last.get(cpu) ?? 0));
  for (const { attributes } of remaining.filter((line) => isExecOf(line, hookId)))
    note(Number(attributes['vcml.cpu']), Number(attributes['vcml.seq']));
  for (const { cpu, last: seq } of rangesOf(remaining, hookId)) note(cpu, seq);
  for (const { cpu, last: seq } of pendingOf(account)) note(cpu, seq);
  return last;
}

/**
 * If what says whether its cause is lost is deleted (`isForgotten`), a run without a checkpoint cannot
 * know: then it says so.
 */
function judgeLink(
  line: JournalLine,
  exec: ScriptedExec,
  { bootId }: Account,
  isForgotten: boolean,
): string[] {
  const { attributes } = line;
  const args = attributes['process.command_args'] as readonly string[] | undefined;
  if (args?.[1] !== exec.mark) return [`its argument is ${args?.[1]}`];
  const { cause } = exec;
  if (!isExec(cause)) {
    const reason = cause === 'ancestor' ? 'predates_hook' : 'untracked';
    const found = attributes['vcml.gap.reason'];
    return found === reason ? [] : [`its gap is ${found} instead of ${reason}`];
  }
  if (isForgotten && attributes['vcml.gap.reason'] === 'untracked') return [];
  const id = uuid5(bootId, `${cause.bootTime}:${cause.pid}`);
  const link = cause.fate === 'sound' ? id : null;
  if (line.parent_cause !== link) return [`its cause is ${line.parent_cause} instead of ${link}`];
  const lostCause = attributes['vcml.gap.lost_cause'];
  return link !== null || lostCause === id ? [] : [`its lost cause is ${lostCause}`];
}

function isExec(cause: ScriptedExec['cause']): cause is ScriptedExec {
  return typeof cause !== 'string';
}

function foreignNumbers(
  { execs }: Account,
  records: ReadonlyMap<string, readonly JournalLine[]>,
): string[] {
  const known = new Set(execs.map(({ cpu, seq }) => `${cpu}:${seq}`));
  return [...records.keys()].filter((key) => !known.has(key)).map((key) => `no exec had ${key}`);
}

function repeatedDeletions({ remaining, hookId }: Account): string[] {
  const seen = new Set<string>();
  return rangesOf(remaining, hookId).flatMap(({ stage, cpu, first, last }) => {
    const key = `${cpu}: ${first} to ${last}`;
    if (stage !== 'retention') return [];
    const again = seen.has(key);
    seen.add(key);
    return again ? [`the deletion of cpu ${key} is recorded twice`] : [];
  });
}

function isExecOf({ action, attributes }: JournalLine, hookId: string): boolean {
  return action === 'exec' && attributes['vcml.hook.id'] === hookId;
}

function rangesOf(lines: readonly JournalLine[], hookId: string): Range[] {
  return lines.flatMap(({ action, attributes }) => {
    const first = attributes['vcml.loss.first_seq'];
    if (action !== 'journal.loss' || first === undefined) return [];
    if (attributes['vcml.loss.hook_id'] !== hookId) return [];
    return [
      {
        stage: String(attributes['vcml.loss.stage']),
        cpu: Number(attributes['vcml.loss.cpu']),
        first: Number(first),
        last: Number(attributes['vcml.loss.last_seq']),
      },
    ];
  });
}

function pendingOf({ pending = [], hookId }: Pick<Account, 'pending' | 'hookId'>): Range[] {
  return pending
    .filter((range) => range.hookId === hookId)
    .map(({ cpu, firstSeq: first, lastSeq: last }) => ({ stage: 'retention', cpu, first, last }));
}

function covers({ cpu, first, last }: Range, exec: ScriptedExec): boolean {
  return cpu === exec.cpu && first <= exec.seq && exec.seq <= last;
}
