import { createIds, type Ids } from '../../record/ids.ts';
import type {
  Ancestor,
  BootTime,
  CausalRecord,
  Cause,
  ExecEvent,
  Gap,
  HookState,
  JournalRecord,
  Loss,
  LossStage,
  UnreadableEvent,
} from '../../record/types.ts';
import type { Losses } from './losses.ts';
import { ParentIds } from './parent-ids.ts';

export interface LineageOptions {
  readonly bootId: string;
  /** boot time of arming, decimal */
  readonly hookId: string;
  /** Next expected number of each CPU; changed in place as events go by. */
  readonly nextSeq: Float64Array;
  /** What an earlier run knew to be lost, of the same hook. */
  readonly losses: Losses;
  /** The run of a CPU's numbers that were passed over for want of a reader. */
  quietRun(cpu: number): { readonly first: number; readonly last: number };
  /** What a process was when the hook was armed. */
  ancestor(pid: number, startTime: BootTime): Ancestor | undefined;
}

/** Counts of this run. */
export interface Counts {
  records: number;
  /** records that are lost, as far as their number is known */
  lost: number;
  /** journal.loss records */
  losses: number;
  readonly gaps: Record<Gap['reason'], number>;
}

/** More than a CPU can execute between two looks at it. */
const FAR_OFF = 2 ** 32;

/**
 * Events in, records out: ids, links, gaps and losses. Whether a parent's record is in the journal
 * is decided here alone, from its CPU and number. Pure: touches no clock and no file.
 */
export class Lineage {
  readonly counts: Counts = {
    records: 0,
    lost: 0,
    losses: 0,
    gaps: { predates_hook: 0, lost: 0, untracked: 0 },
  };
  /** journal.loss records of each stage, and what they lost, as far as its number is known. */
  readonly stages = new Map<LossStage, { losses: number; records: number }>();
  readonly losses: Losses;
  readonly #options: LineageOptions;
  readonly #next: Float64Array;
  readonly #ids: Ids;
  readonly #parents = new ParentIds();
  /** Unreadable events whose numbers are not known: the next jump is theirs. */
  #unreadable = 0;
  /** Of each CPU, the run of unreadable events that is not told yet. */
  readonly #unread = new Map<number, { stage: LossStage; first: number; last: number }>();
  /** Records about the journal in this run. */
  #n = 0;

  constructor(options: LineageOptions) {
    this.#options = options;
    this.losses = options.losses;
    this.#next = options.nextSeq;
    this.#ids = createIds(options.bootId);
  }

  /** Appends what an exec makes: losses that it proves, then its record; nothing if it is known. */
  exec(event: ExecEvent, now: BootTime, out: CausalRecord[]): void {
    const { cpu, seq } = event;
    const expected = this.#expected(cpu);
    if (seq < expected) return; // in the journal since an earlier run
    if (this.#unread.size > 0) this.settle(now, out);
    if (seq > expected) this.#lose(cpu, expected, seq - 1, now, out);
    this.#next[cpu] = seq + 1;

    const id = this.#ids.exec(event.bootTime, event.pid);
    const cause = this.#cause(event.cause, now, out);
    this.counts.records += 1;
    if (typeof cause === 'string') {
      out.push({ action: 'exec', id, event, parentCause: cause, gap: undefined });
    } else {
      this.counts.gaps[cause.reason] += 1;
      out.push({ action: 'exec', id, event, parentCause: null, gap: cause });
    }
  }

  /** Takes the loss of an event that could not be read; a run of them is told as one. */
  unreadable(event: UnreadableEvent, now: BootTime, out: CausalRecord[]): void {
    const { cpu, seq, stage } = event;
    const expected = cpu === undefined ? 0 : this.#expected(cpu);
    // A number far off is part of the damage.
    if (cpu === undefined || !seq || seq >= expected + FAR_OFF) {
      // Told at once; when the jump in the numbers shows which ones, that run is told as well.
      this.#unreadable += 1;
      this.lose({ stage, hookId: this.#options.hookId, count: 1 }, now, out);
      return;
    }
    if (seq < expected) return; // told by an earlier run
    const run = this.#unread.get(cpu);
    if (seq > expected || (run !== undefined && run.stage !== stage)) this.settle(now, out);
    if (seq > expected) this.#lose(cpu, expected, seq - 1, now, out);
    this.#unread.set(cpu, { stage, first: this.#unread.get(cpu)?.first ?? seq, last: seq });
    this.#next[cpu] = seq + 1;
  }

  /** Appends what was lost of events that could not be read: before all that comes after them. */
  settle(now: BootTime, out: CausalRecord[]): void {
    for (const [cpu, { stage, first, last }] of this.#unread)
      this.#loseRun(stage, cpu, first, last, now, out);
    this.#unread.clear();
  }

  /** Once the ring is drained: everything unseen up to `last` on that CPU is lost. */
  reconcile(cpu: number, last: number, now: BootTime, out: CausalRecord[]): void {
    this.settle(now, out);
    const expected = this.#expected(cpu);
    if (last < expected) return;
    this.#lose(cpu, expected, last, now, out);
    this.#next[cpu] = last + 1;
  }

  /** Appends a loss that others found out. */
  lose(loss: Loss, now: BootTime, out: CausalRecord[]): void {
    const { losses, records } = this.stages.get(loss.stage) ?? { losses: 0, records: 0 };
    this.stages.set(loss.stage, { losses: losses + 1, records: records + (loss.count ?? 0) });
    this.counts.losses += 1;
    this.counts.lost += loss.stage === 'retention' ? 0 : (loss.count ?? 0);
    out.push({ action: 'journal.loss', loss, ...this.#journalId('journal.loss', now) });
  }

  start(version: string, hookState: HookState, now: BootTime): JournalRecord {
    const nextSeq = Array.from(this.#next);
    return {
      action: 'journal.start',
      version,
      hookState,
      nextSeq,
      ...this.#journalId('journal.start', now),
    };
  }

  stop(hookState: HookState, now: BootTime): JournalRecord {
    const { records, gaps, losses } = this.counts;
    return {
      action: 'journal.stop',
      hookState,
      records,
      gaps: gaps.predates_hook + gaps.lost + gaps.untracked,
      losses,
      ...this.#journalId('journal.stop', now),
    };
  }

  /** The id of the record that an exec is linked to, or why there is none. */
  #cause(cause: Cause, now: BootTime, out: CausalRecord[]): string | Gap {
    if (cause.kind === 'untracked') return { reason: 'untracked' };
    if (cause.kind === 'ancestor') {
      const { pid, startTime } = cause;
      const ancestor = this.#options.ancestor(pid, startTime);
      return { reason: 'predates_hook', pid, startTime, ancestor };
    }
    const expected = this.#expected(cause.cpu);
    // A parent's event comes before its child's: not seen by now means lost.
    if (cause.seq >= expected) {
      this.#lose(cause.cpu, expected, cause.seq, now, out);
      this.#next[cause.cpu] = cause.seq + 1;
    }
    const id = this.#parents.of(cause.cpu, cause.seq, () =>
      this.#ids.exec(cause.bootTime, cause.pid),
    );
    return this.losses.has(cause.cpu, cause.seq) ? { reason: 'lost', lostCause: id } : id;
  }

  /** first..last are lost: those that were passed over in quiet times, and the others. */
  #lose(cpu: number, first: number, last: number, now: BootTime, out: CausalRecord[]): void {
    const quiet = this.#options.quietRun(cpu);
    const from = Math.max(first, quiet.first);
    const to = Math.min(last, quiet.last);
    if (quiet.last === 0 || from > to) {
      this.#loseRun(this.#stage(last - first + 1), cpu, first, last, now, out);
      return;
    }
    if (first < from) this.#loseRun('ring_buffer', cpu, first, from - 1, now, out);
    this.#loseRun('quiet', cpu, from, to, now, out);
    if (to < last) this.#loseRun('ring_buffer', cpu, to + 1, last, now, out);
  }

  #stage(count: number): LossStage {
    if (this.#unreadable < count) return 'ring_buffer';
    this.#unreadable -= count;
    return 'decode';
  }

  #loseRun(
    stage: LossStage,
    cpu: number,
    firstSeq: number,
    lastSeq: number,
    now: BootTime,
    out: CausalRecord[],
  ): void {
    this.losses.add(cpu, firstSeq, lastSeq);
    const { hookId } = this.#options;
    const count = lastSeq - firstSeq + 1;
    this.lose({ stage, hookId, cpu, firstSeq, lastSeq, count }, now, out);
  }

  #expected(cpu: number): number {
    return this.#next[cpu] ?? 1;
  }

  #journalId(action: string, now: BootTime): { id: string; bootTime: BootTime } {
    const id = this.#ids.journal(now, action, this.#n);
    this.#n += 1;
    return { id, bootTime: now };
  }
}
