import type { BootTime, JournalRecord, KernelEvent, Loss } from '../../record/types.ts';
import type { Lineage } from '../lineage/lineage.ts';
import type { Clock } from '../source/clock.ts';
import { readCpuStates } from '../source/counters.ts';
import type { Decoder } from '../source/decode.ts';
import type { Hook, HookStatistics } from '../source/hook.ts';
import { Batch, type BatchOptions } from './batch.ts';

const FRAME_BYTES = 8;
/** Empty drains in a row before the reader goes to sleep. */
const IDLE_DRAINS = 10;
/** The journal does not take what there is. */
const STUCK: Turn = { waitMs: 1000, hasNews: false, maySleep: false };
/** An event that is just being written holds up a drain for a moment, no longer. */
const FLUSH_TURNS = 10_000;

export interface RecorderOptions extends BatchOptions {
  readonly hook: Hook;
  readonly hookId: string;
  readonly decoder: Decoder;
  readonly clock: Clock;
  readonly lineage: Lineage;
  readonly nextSeq: Float64Array;
  readonly drainIntervalMs: number;
  /** Execs that the kernel had skipped when an earlier run last looked. */
  readonly kernelMisses: number;
}

/** What a turn of the recorder has come to. */
export interface Turn {
  /** milliseconds until the next */
  readonly waitMs: number;
  /** The journal and the numbers have gone on together: a checkpoint is worth its while. */
  readonly hasNews: boolean;
  /** There has been nothing to drain for a while, and all is on disk. */
  readonly maySleep: boolean;
}

/**
 * The way of the data, left to right: drain the ring, make records, write lines, and only then give
 * the kernel its room back.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #batch: Batch;
  /** Drained into `hook.buffer` and not yet turned into records. */
  #from = 0;
  #to = 0;
  /** Milliseconds that the event at #from still waits for its container's metadata; 0: none does. */
  #waitMs = 0;
  /** The ring's position up to which it has its room back. */
  #committed: number;
  readonly #ringBytes: number;
  #idle = 0;
  #kernelMisses: number;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#batch = new Batch(options);
    this.#ringBytes = options.hook.statistics().ringBytes;
    this.#kernelMisses = options.kernelMisses;
    [this.#committed] = options.hook.positions();
  }

  /** Execs that the kernel has skipped, as far as they are recorded. */
  get kernelMisses(): number {
    return this.#kernelMisses;
  }

  /** Adds a record about the journal behind all that was read so far. */
  add(...records: JournalRecord[]): void {
    this.#batch.records.push(...records);
    this.#batch.encode();
  }

  /** Adds a loss that was found out elsewhere. */
  lose(loss: Loss): void {
    this.#options.lineage.lose(loss, this.#options.clock.now, this.#batch.records);
    this.#batch.encode();
  }

  /** Adds what the kernel has skipped since the last time. */
  addKernelMisses(): void {
    const { hook, hookId } = this.#options;
    const count = missesOf(hook.statistics()) - this.#kernelMisses;
    this.#kernelMisses += count;
    if (count > 0) this.lose({ stage: 'kernel', hookId, count });
  }

  /** Reads the clocks, and the first events with them. */
  sample(): void {
    this.#drain();
  }

  /**
   * Drains what there is now and writes it; true when all of it is on disk. Nothing waits for
   * metadata, but with `patient`: then false while something does.
   */
  flush({ patient = false } = {}): boolean {
    const { hook, lineage, clock } = this.#options;
    const states = readCpuStates(hook.cpuStates());
    const [, end] = hook.positions();
    for (let turn = 0; turn < FLUSH_TURNS; turn++) {
      if (!this.#write(patient) || this.#waitMs > 0) return false;
      // All that was in the ring when the counters were read: what is unseen up to them is lost.
      if (hook.positions()[0] >= end) {
        for (const [cpu, state] of states.entries())
          lineage.reconcile(
            cpu,
            Math.max(state.lostSeq, state.quietLast),
            clock.now,
            this.#batch.records,
          );
        this.#batch.encode();
        return this.#write(patient);
      }
      this.#drain();
    }
    return false;
  }

  /** Writes a last record behind all that was drained; true when it is on disk. */
  finish(last: (now: BootTime) => JournalRecord): boolean {
    const { hook, clock } = this.#options;
    hook.touch();
    clock.sample(hook.clock);
    this.add(last(clock.now));
    return this.#write(false);
  }

  /** Drains what is new, and writes it as far as nothing waits for metadata. */
  turn(): Turn {
    const { hook, clock, drainIntervalMs } = this.#options;
    hook.touch();
    clock.sample(hook.clock);
    if (!this.#write(true)) return STUCK;
    const bytes = this.#waitMs > 0 ? 0 : this.#drain();
    if (!this.#write(true)) return STUCK;
    const isWaiting = this.#waitMs > 0;
    this.#idle = bytes === 0 && !isWaiting ? this.#idle + 1 : 0;
    const maySleep = this.#idle > IDLE_DRAINS && this.#settle();
    const isCrowded = bytes > hook.buffer.length / 2;
    const waitMs = isWaiting
      ? Math.min(this.#waitMs, drainIntervalMs)
      : isCrowded
        ? 0
        : drainIntervalMs;
    return { waitMs, hasNews: bytes > 0 || maySleep, maySleep };
  }

  /** Has the kernel call `wake`, once there is something to drain; false: there is already. */
  sleep(wake: () => void): boolean {
    return this.#write(true) && this.#options.hook.sleep(wake);
  }

  #settle(): boolean {
    this.#idle = 0;
    return this.flush({ patient: true });
  }

  /** Reads what is new and makes lines of it; returns the bytes there were. */
  #drain(): number {
    const { hook, clock } = this.#options;
    const bytes = hook.drain();
    clock.sample(hook.clock);
    this.#from = 0;
    this.#to = bytes;
    return bytes;
  }

  /**
   * Writes all that was drained, batch by batch, or as far as nothing waits for metadata; false when
   * the journal does not take it now.
   */
  #write(patient: boolean): boolean {
    const { hook, nextSeq } = this.#options;
    do {
      this.#addRetired();
      this.#batch.encode();
      this.#decode(patient);
      if (!this.#batch.write()) return false;
    } while ((this.#from < this.#to && this.#waitMs === 0) || this.#batch.records.length > 0);
    if (this.#waitMs > 0) return true;
    hook.commit(nextSeq);
    [this.#committed] = hook.positions();
    return true;
  }

  /** Adds what the journal has deleted for space since the last batch. */
  #addRetired(): void {
    const retired = this.#options.journal.takeRetired();
    for (const range of retired) this.lose({ stage: 'retention', ...range });
  }

  /** Makes lines of drained events until there are no more, one must wait or the batch is full. */
  #decode(patient: boolean): void {
    const { hook, decoder, lineage, clock } = this.#options;
    this.#waitMs = 0;
    while (this.#from < this.#to && !this.#batch.isFull) {
      const length = hook.buffer.readUInt32LE(this.#from);
      const event = decoder.decode(this.#from + FRAME_BYTES, length);
      if (patient && this.#mustWait(event)) break;
      this.#event(event);
      this.#from += FRAME_BYTES + Math.ceil(length / 8) * 8;
    }
    if (this.#from < this.#to && this.#waitMs === 0) return;
    // Also before a wait: whoever goes on from nextSeq takes what is below it for told.
    lineage.settle(clock.now, this.#batch.records);
    this.#batch.encode();
  }

  /** Order stays: what comes behind an event that waits, waits in the ring, while that has room. */
  #mustWait(event: KernelEvent): boolean {
    const { enricher, clock, hook } = this.#options;
    if (event.kind !== 'exec') return false;
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
        lineage.exec(event, clock.now, this.#batch.records);
        break;
      case 'unreadable':
        lineage.unreadable(event, clock.now, this.#batch.records);
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

/** Execs that the kernel did not let our program see. */
function missesOf({ programs }: HookStatistics): number {
  return programs.find(({ name }) => name === 'on_exec')?.recursionMisses ?? 0;
}
