import type { BootTime, JournalRecord, KernelEvent, Loss } from '../../../record/types.ts';
import type { Lineage } from '../../lineage/lineage.ts';
import type { Clock } from '../../source/clock.ts';
import { lossMark, readCpuStates } from '../../source/counters.ts';
import type { Decoder } from '../../source/decode.ts';
import type { Hook, HookStatistics } from '../../source/hook.ts';
import { attended } from '../attended.ts';
import { Batch, type BatchOptions } from './batch.ts';

const FRAME_BYTES = 8;
/** The recorder sleeps after more empty drains in a row than this. */
const IDLE_DRAINS = 10;
/** While it never sleeps, it looks for lost numbers behind the last event after so many turns. */
const SETTLE_TURNS = 100;
/** The turn after which the journal could not be written. */
const STUCK: Turn = { waitMs: 1000, hasNews: false, maySleep: false };
/** Longer than it takes the kernel side from an exec's time to its number, also where a CPU is not scheduled. */
const IN_FLIGHT_S = 1;
/** An event that the kernel is still writing delays a drain only for a moment. */
const FLUSH_TURNS = 10_000;

export interface RecorderOptions extends BatchOptions {
  readonly hook: Hook;
  readonly hookId: string;
  readonly decoder: Decoder;
  readonly clock: Clock;
  readonly lineage: Lineage;
  readonly nextSeq: Float64Array;
  readonly drainIntervalMs: number;
  /** Execs that the kernel had skipped when an earlier run looked last. */
  readonly kernelMisses: number;
}

/** The outcome of one turn of the recorder. */
export interface Turn {
  /** milliseconds until the next */
  readonly waitMs: number;
  /** Whether the journal has grown, and a checkpoint would say so. */
  readonly hasNews: boolean;
  /** Whether there was nothing to drain for a while, and everything is on disk. */
  readonly maySleep: boolean;
}

/**
 * Moves the data from left to right: it drains the ring, makes records, writes lines, and only then
 * returns the room in the ring to the kernel.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #batch: Batch;
  /** The part of `hook.buffer` that is drained and not made into records yet. */
  #from = 0;
  #to = 0;
  /**
   * How long the event at #from still waits for its container's metadata, in milliseconds; 0: it
   * does not wait.
   */
  #waitMs = 0;
  /** Resolves when the event at #from need not wait any more for the files about its container. */
  #reading: Promise<void> | undefined;
  /** The ring's position up to which its room was returned to the kernel. */
  #committed: number;
  readonly #ringBytes: number;
  #idle = 0;
  /** Turns since it looked for lost numbers behind the last event. */
  #unsettled = 0;
  #completeUntil: BootTime | undefined;
  /** Whether the last record is written, or waits to be. */
  #isFinished = false;
  #kernelMisses: number;
  /** lossMark() of what is recorded, or was seen */
  #lossMark: number;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#batch = new Batch(options);
    this.#ringBytes = options.hook.statistics().ringBytes;
    this.#kernelMisses = options.kernelMisses;
    [this.#committed] = options.hook.positions();
    const { hook, nextSeq } = options;
    this.#lossMark = lossMark(readCpuStates(hook.cpuStates()), nextSeq);
  }

  /** Whether it waits for the disk. */
  get isWriting(): boolean {
    return this.#batch.isWriting;
  }

  /** Whether every record that was made is in the journal. */
  get isWritten(): boolean {
    return this.#batch.isEmpty;
  }

  /** The time up to which every exec is in the journal, or is lost there; undefined: not known yet. */
  get completeUntil(): BootTime | undefined {
    return this.#completeUntil;
  }

  /** Execs that the kernel has skipped and that are recorded as lost. */
  get kernelMisses(): number {
    return this.#kernelMisses;
  }

  /** Adds records about the journal after everything that was read so far. */
  add(...records: JournalRecord[]): void {
    this.#batch.records.push(...records);
    this.#batch.encode();
  }

  /** Adds a loss that was found elsewhere. */
  lose(loss: Loss): void {
    this.#options.lineage.lose(loss, this.#options.clock.now, this.#batch.records);
    this.#batch.encode();
  }

  /** Adds a loss of the execs that the kernel has skipped since the last call. */
  addKernelMisses(): void {
    const { hook, hookId } = this.#options;
    const count = missesOf(hook.statistics()) - this.#kernelMisses;
    this.#kernelMisses += count;
    if (count === 0) return;
    this.#options.enricher.noteLosses(true);
    this.lose({ stage: 'kernel', hookId, count });
  }

  /** Reads the clocks, and the first events together with them. */
  sample(): void {
    this.#drain();
  }

  /**
   * Drains everything that is in the ring now and writes it. Returns true if all of it is on disk.
   * Only with `patient` do records wait for metadata; it returns false while one waits.
   */
  async flush({ patient = false } = {}): Promise<boolean> {
    const { hook, lineage, clock } = this.#options;
    hook.touch();
    clock.sample(hook.clock);
    const { now } = clock;
    // Behind the clock: what was executed before is counted, and is in the ring or lost.
    const states = readCpuStates(hook.cpuStates());
    const [, end] = hook.positions();
    for (let turn = 0; turn < FLUSH_TURNS; turn++) {
      if (!(await this.#write(patient)) || this.#waitMs > 0) return false;
      // Everything that was in the ring when the counters were read has been read: missing numbers
      // are lost.
      if (hook.positions()[0] >= end) {
        for (const [cpu, state] of states.entries())
          lineage.reconcile(
            cpu,
            Math.max(state.lostSeq, state.quietLast),
            clock.now,
            this.#batch.records,
          );
        this.#batch.encode();
        this.addKernelMisses();
        if (!(await this.#write(patient))) return false;
        this.#completeUntil = { seconds: now.seconds - IN_FLIGHT_S, nanos: now.nanos };
        return true;
      }
      this.#drain();
    }
    return false;
  }

  /** Writes a last record after everything that was drained. Returns true if it is on disk. */
  async finish(last: (now: BootTime) => JournalRecord): Promise<boolean> {
    const { hook, clock } = this.#options;
    hook.touch();
    clock.sample(hook.clock);
    this.#addRetired();
    this.#isFinished = true;
    this.add(last(clock.now));
    return this.#write(false);
  }

  /** Drains what is new, and writes it up to the first event that waits for metadata. */
  async turn(): Promise<Turn> {
    const { hook, clock, drainIntervalMs } = this.#options;
    hook.touch();
    clock.sample(hook.clock);
    if (!(await this.#write(true))) return STUCK;
    const bytes = this.#waitMs > 0 ? 0 : this.#drain();
    if (!(await this.#write(true))) return STUCK;
    const isWaiting = this.#waitMs > 0;
    this.#idle = bytes === 0 && !isWaiting ? this.#idle + 1 : 0;
    this.#unsettled += 1;
    const maySleep = this.#idle > IDLE_DRAINS && (await this.#settle());
    // A CPU on which nothing is executed any more can have lost its last number.
    if (this.#unsettled >= SETTLE_TURNS && !isWaiting) await this.#settle();
    const isCrowded = bytes > hook.buffer.length / 2;
    const waitMs = isWaiting
      ? Math.min(this.#waitMs, drainIntervalMs)
      : isCrowded
        ? 0
        : drainIntervalMs;
    return { waitMs, hasNews: bytes > 0 || maySleep, maySleep };
  }

  /**
   * Has the kernel call `wake` once there is something to drain. Returns false if there is
   * something already.
   */
  async sleep(wake: () => void): Promise<boolean> {
    return (await this.#write(true)) && this.#options.hook.sleep(wake);
  }

  #settle(): Promise<boolean> {
    this.#idle = 0;
    this.#unsettled = 0;
    return this.flush({ patient: true });
  }

  /** Copies what is new out of the ring; returns its bytes. */
  #drain(): number {
    const { hook, clock } = this.#options;
    const bytes = hook.drain();
    clock.sample(hook.clock);
    this.#noteLosses();
    this.#from = 0;
    this.#to = bytes;
    return bytes;
  }

  /** What was drained may have been executed after a loss. */
  #noteLosses(): void {
    const { hook, enricher } = this.#options;
    const mark = lossMark(readCpuStates(hook.cpuStates()));
    enricher.noteLosses(mark > this.#lossMark);
    this.#lossMark = mark;
  }

  /**
   * Writes what was drained, batch by batch, up to the first event that waits for metadata. Returns
   * false if the journal cannot be written now.
   */
  async #write(patient: boolean): Promise<boolean> {
    const { hook, nextSeq } = this.#options;
    do {
      this.#addRetired();
      this.#batch.encode();
      this.#decode(patient);
      if (!(await this.#batch.write())) return false;
      if (this.#reading !== undefined) await attended(hook, this.#reading);
    } while ((this.#from < this.#to && this.#waitMs === 0) || this.#batch.records.length > 0);
    if (this.#waitMs > 0) return true;
    hook.commit(nextSeq, this.#kernelMisses);
    [this.#committed] = hook.positions();
    return true;
  }

  /** Adds losses of what the journal has deleted for space since the last batch. */
  #addRetired(): void {
    // Nothing follows the last record: the next run finds in the journal's folder what is deleted now.
    if (this.#isFinished) return;
    const { journal } = this.#options;
    for (const range of journal.takeRetired()) this.lose({ stage: 'retention', ...range });
    for (const hookId of journal.takeRetiredUnknown()) this.lose({ stage: 'retention', hookId });
  }

  /** Makes lines of drained events until there are no more, one must wait, or the batch is full. */
  #decode(patient: boolean): void {
    const { hook, decoder, lineage, clock } = this.#options;
    this.#waitMs = 0;
    this.#reading = undefined;
    while (this.#from < this.#to && !this.#batch.isFull) {
      const length = hook.buffer.readUInt32LE(this.#from);
      const event = decoder.decode(this.#from + FRAME_BYTES, length);
      if (this.#mustWait(event, patient)) break;
      this.#event(event);
      this.#from += FRAME_BYTES + Math.ceil(length / 8) * 8;
    }
    if (this.#from < this.#to && this.#waitMs === 0) return;
    // Also before a wait: everything below nextSeq counts as recorded in the next run.
    lineage.settle(clock.now, this.#batch.records);
    this.#batch.encode();
  }

  /**
   * Whether an event must wait. Later events wait in the ring, which keeps the order, while the
   * ring has room.
   */
  #mustWait(event: KernelEvent, patient: boolean): boolean {
    const { enricher, clock, hook } = this.#options;
    if (event.kind !== 'exec') return false;
    this.#reading = enricher.reading(event);
    if (this.#reading !== undefined) return true;
    if (!patient) return false;
    const waitMs = enricher.wait(event, clock.now);
    if (waitMs === 0) return false;
    const [, written] = hook.positions();
    if (written - this.#committed > this.#ringBytes / 2) return false;
    this.#waitMs = waitMs;
    return true;
  }

  #event(event: KernelEvent): void {
    const { lineage, clock, enricher } = this.#options;
    switch (event.kind) {
      case 'exec':
        // A container that it started has started, whoever recorded that.
        if (!lineage.exec(event, clock.now, this.#batch.records)) enricher.place(event);
        break;
      case 'unreadable':
        lineage.unreadable(event, clock.now, this.#batch.records);
        enricher.noteLosses(true);
        break;
      case 'unreadable_cgroup':
        return;
      default:
        enricher.note(event);
        return;
    }
    this.#batch.encode();
  }
}

/** The execs for which the kernel did not run our program. */
function missesOf({ programs }: HookStatistics): number {
  return programs.find(({ name }) => name === 'on_exec')?.recursionMisses ?? 0;
}
