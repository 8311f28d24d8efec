import { createIds, type Ids } from '../../record/ids.ts';
import type {
  Ancestor,
  BootTime,
  CausalRecord,
  Cause,
  Checkpoint,
  ExecEvent,
  Gap,
  HookState,
  JournalRecord,
  Loss,
  LossStage,
  UnreadableEvent,
  Uuid,
} from '../../record/types.ts';
import { uuidText } from '../../record/uuid.ts';
import type { Losses } from './losses.ts';
import { ParentIds } from './parent-ids.ts';

/** What lineage needs of the hook and of earlier runs. */
export interface LineageOptions {
  readonly bootId: string;
  /** the boot time at which the hook was armed, in decimal nanoseconds */
  readonly hookId: string;
  /** The next expected number of each CPU; lineage updates it in place with each event. */
  readonly nextSeq: Float64Array;
  /** The losses that earlier runs with the same hook found. */
  readonly losses: Losses;
  /** The range of a CPU's numbers that the hook skipped because no agent was reading. */
  quietRange(cpu: number): { readonly first: number; readonly last: number };
  /** Describes a process as it was when the hook was armed. */
  ancestor(pid: number, startTime: BootTime): Ancestor | undefined;
}

/** The counts of one run of the agent. */
export interface Counts {
  records: number;
  /** lost records; a loss of an unknown number does not add to it */
  lost: number;
  /** `journal.loss` records */
  losses: number;
  readonly gaps: Record<Gap['reason'], number>;
}

/** More execs than a CPU can make between two drains of the ring. */
const FAR_OFF = 2 ** 32;

/**
 * Makes records of events: it assigns ids and links, and finds gaps and losses. Only this class
 * decides whether a parent's record is in the journal, and does so by the parent's CPU and number.
 * Pure: it touches neither a clock nor a file.
 */
export class Lineage {
  readonly counts: Counts = {
    records: 0,
    lost: 0,
    losses: 0,
    gaps: { predates_hook: 0, lost: 0, untracked: 0 },
  };
  /** The `journal.loss` records of each stage, and the number of records that they report. */
  readonly stages = new Map<LossStage, { losses: number; records: number }>();
  readonly losses: Losses;
  readonly #options: LineageOptions;
  readonly #next: Float64Array;
  readonly #ids: Ids;
  readonly #parents = new ParentIds();
  /** Unreadable events without a usable number; the next jump in the numbers is due to them. */
  #unreadable = 0;
  /** The range of unreadable events on each CPU that is not reported yet. */
  readonly #unread = new Map<number, { stage: LossStage; first: number; last: number }>();
  /** The number of records about the journal so far. */
  #n = 0;

  constructor(options: LineageOptions) {
    this.#options = options;
    this.losses = options.losses;
    this.#next = options.nextSeq;
    this.#ids = createIds(options.bootId);
  }

  /**
   * Appends an exec's record, after the losses that it reveals. Returns false, and appends nothing, if
   * the journal has it already.
   */
  exec(event: ExecEvent, now: BootTime, out: CausalRecord[]): boolean {
    const { cpu, seq } = event;
    const expected = this.#expected(cpu);
    if (seq < expected) return false; // an earlier run wrote it to the journal
    if (this.#unread.size > 0) this.settle(now, out);
    if (seq > expected) this.#lose(cpu, expected, seq - 1, now, out);
    this.#next[cpu] = seq + 1;

    const id = this.#ids.exec(event.bootTime, event.pid);
    const cause = this.#cause(event.cause, now, out);
    this.counts.records += 1;
    if ('reason' in cause) {
      this.counts.gaps[cause.reason] += 1;
      out.push({ action: 'exec', id, event, parentCause: null, gap: cause });
    } else {
      out.push({ action: 'exec', id, event, parentCause: cause, gap: undefined });
    }
    return true;
  }

  /** Notes an event that could not be read; consecutive ones become one loss. */
  unreadable(event: UnreadableEvent, now: BootTime, out: CausalRecord[]): void {
    const { cpu, seq, stage } = event;
    const expected = cpu === undefined ? 0 : this.#expected(cpu);
    // A number that is far off is part of the damage.
    if (cpu === undefined || !seq || seq >= expected + FAR_OFF) {
      // This loss has no number. The jump that follows in the numbers becomes a loss of its own.
      this.#unreadable += 1;
      this.lose({ stage, hookId: this.#options.hookId, count: 1 }, now, out);
      return;
    }
    if (seq < expected) return; // an earlier run reported it
    const range = this.#unread.get(cpu);
    if (seq > expected || (range !== undefined && range.stage !== stage)) this.settle(now, out);
    if (seq > expected) this.#lose(cpu, expected, seq - 1, now, out);
    this.#unread.set(cpu, { stage, first: this.#unread.get(cpu)?.first ?? seq, last: seq });
    this.#next[cpu] = seq + 1;
  }

  /** Appends the losses of unreadable events, before any record of a later event. */
  settle(now: BootTime, out: CausalRecord[]): void {
    for (const [cpu, { stage, first, last }] of this.#unread)
      this.#loseRange(stage, cpu, first, last, now, out);
    this.#unread.clear();
  }

  /**
   * Called when the ring is drained: events of that CPU up to `last` that were not seen are lost.
   */
  reconcile(cpu: number, last: number, now: BootTime, out: CausalRecord[]): void {
    this.settle(now, out);
    const expected = this.#expected(cpu);
    if (last < expected) return;
    this.#lose(cpu, expected, last, now, out);
    this.#next[cpu] = last + 1;
  }

  /** Appends a loss that another part of the agent found. */
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

  checkpoint(checkpoint: Checkpoint, now: BootTime): JournalRecord {
    const id = this.#journalId('journal.checkpoint', now);
    return { action: 'journal.checkpoint', checkpoint, ...id };
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

  /** Returns the id of the parent's record, or the gap that says why there is none. */
  #cause(cause: Cause, now: BootTime, out: CausalRecord[]): Uuid | Gap {
    if (cause.kind === 'untracked') return { reason: 'untracked' };
    if (cause.kind === 'ancestor') {
      const { pid, startTime } = cause;
      const ancestor = this.#options.ancestor(pid, startTime);
      return { reason: 'predates_hook', pid, startTime, ancestor };
    }
    const expected = this.#expected(cause.cpu);
    // The ring has a parent's event before its child's, so a parent that was not seen is lost.
    if (cause.seq >= expected) {
      this.#lose(cause.cpu, expected, cause.seq, now, out);
      this.#next[cause.cpu] = cause.seq + 1;
    }
    const id = this.#parents.of(cause.cpu, cause.seq, () =>
      this.#ids.exec(cause.bootTime, cause.pid),
    );
    const isLost = this.losses.has(cause.cpu, cause.seq);
    if (isLost === undefined) return { reason: 'untracked' };
    return isLost ? { reason: 'lost', lostCause: uuidText(id) } : id;
  }

  /** Loses first..last, in up to three parts: what the hook skipped while quiet, and the rest. */
  #lose(cpu: number, first: number, last: number, now: BootTime, out: CausalRecord[]): void {
    const quiet = this.#options.quietRange(cpu);
    const from = Math.max(first, quiet.first);
    const to = Math.min(last, quiet.last);
    if (quiet.last === 0 || from > to) {
      this.#loseRange(this.#stage(last - first + 1), cpu, first, last, now, out);
      return;
    }
    if (first < from) this.#loseRange('ring_buffer', cpu, first, from - 1, now, out);
    this.#loseRange('quiet', cpu, from, to, now, out);
    if (to < last) this.#loseRange('ring_buffer', cpu, to + 1, last, now, out);
  }

  #stage(count: number): LossStage {
    if (this.#unreadable < count) return 'ring_buffer';
    this.#unreadable -= count;
    return 'decode';
  }

  #loseRange(
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
