import type { Seeded } from '../../support/scripted/seeded.ts';
import { VirtualClock } from './clock.ts';
import { Collector } from './collector.ts';
import { Disk } from './disk.ts';
import { Kernel } from './kernel.ts';
import { Killed, type Life, Life as NewLife, type Plan } from './life.ts';

const EPOCH_NS = 1_795_000_000_000_000_000n;
const BOOT_NS = 1_000_000_007n;
const NS_PER_MS = 1e6;
/** How many of 100 reads take up to `readMs`. */
const READ_SLOW_PERCENT = 10;
/** The longest step of the wall clock. */
const STEP_MS = 3_600_000;

/** How a machine is made. */
export interface Traits {
  readonly cpus: number;
  /** how many of 100 execs have a record that the collector refuses for good */
  readonly refusedPercent: number;
  /** the longest time of one operation of the disk */
  readonly diskMs: number;
  /** how many of 100 operations take up to that long; the others take a fraction of a millisecond */
  readonly slowPercent: number;
  /** the longest time of a call that only reads: who writes may come first */
  readonly readMs: number;
  /** how many bytes of lines an agent keeps in memory for the collector */
  readonly recentBytes: number;
  /** the longest time until the collector answers */
  readonly answerMs: number;
  /** how often nothing is wrong with the collector */
  readonly finePercent: number;
}

/** From then on, the wall clock was so far ahead of the boot clock. */
export interface Offset {
  readonly from: number;
  readonly ns: bigint;
}

/** A machine with its disk, its kernel and its clocks, and the collector that it exports to. */
export class Machine {
  readonly clock = new VirtualClock();
  readonly disk: Disk;
  readonly kernel: Kernel;
  readonly collector: Collector;
  readonly seeded: Seeded;
  readonly traits: Traits;
  /** what agents logged: the codes of events */
  readonly log: string[] = [];
  readonly offsets: Offset[] = [];
  /** the number of agents that ran here */
  lives = 0;
  boots = 1;
  #life: Life | undefined;
  #bootedAt = 0;
  #stepNs = 0n;

  constructor(seeded: Seeded, dir: string, traits: Traits) {
    this.seeded = seeded;
    this.traits = traits;
    this.disk = new Disk(dir, () => this.clock.now);
    const machine = this;
    this.kernel = new Kernel({
      seeded,
      ...traits,
      get now() {
        return machine.clock.now;
      },
      get bootId() {
        return machine.bootId;
      },
      clocks: () => this.clocks(),
      step: () => this.#step(),
    });
    this.collector = new Collector(seeded, traits);
    this.#noteOffset();
  }

  get bootId(): string {
    return `00000000-0000-4000-8000-${`${this.boots}`.padStart(12, '0')}`;
  }

  /** The boot time and the wall time, in nanoseconds. */
  clocks(): { readonly boot: bigint; readonly wall: bigint } {
    const since = BigInt(Math.round((this.clock.now - this.#bootedAt) * NS_PER_MS));
    const boot = BigInt(this.boots) * BOOT_NS + since;
    return { boot, wall: boot + (this.offsets.at(-1)?.ns ?? 0n) };
  }

  /** The wall time in milliseconds. */
  wallMs(): number {
    return Number(this.clocks().wall / 1_000_000n);
  }

  /** Somebody, or NTP, sets the clock. */
  setClock(): void {
    this.#stepNs += BigInt(this.seeded.below(2 * STEP_MS) - STEP_MS) * 1_000_001n;
    this.#noteOffset();
  }

  /** Begins a life of the agent. */
  begin(plan: Plan): Life {
    this.lives += 1;
    this.#life = new NewLife(plan, this.seeded);
    this.disk.life = this.#life;
    this.disk.syncs.excuse();
    return this.#life;
  }

  /** Ends it: nothing of that agent happens any more. */
  end(): void {
    this.#life?.kill();
    this.clock.clear();
    this.kernel.forget();
    this.disk.release();
  }

  /** The machine boots again, after a power cut. */
  reboot(): void {
    this.boots += 1;
    this.#bootedAt = this.clock.now;
    this.kernel.boot();
    this.#noteOffset();
  }

  /** A timer of the agent; a dead one has none. */
  after(ms: number, job: () => void) {
    const life = this.#life;
    return this.clock.after(ms, () => {
      if (life?.isAlive !== false) job();
    });
  }

  /**
   * Does something for the agent that takes time: `begin` after a part of it, and `end` after all.
   * A dead agent never learns of its end.
   */
  later<T, R = T>(
    begin: () => T,
    end: (begun: T) => R = (begun) => begun as unknown as R,
    ms = this.#diskMs(),
  ): Promise<R> {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    if (this.#life?.isAlive === false) return promise;
    const share = this.seeded.below(101) / 100;
    this.after(ms * share, () => {
      let begun: T;
      try {
        begun = begin();
      } catch (error) {
        if (error instanceof Killed) throw error;
        this.after(ms * (1 - share), () => reject(error));
        return;
      }
      this.after(ms * (1 - share), () => resolve(end(begun)));
    });
    return promise;
  }

  /** Notes what an agent logs. */
  logged(code: string, fields: object): void {
    if (this.#life?.isAlive) this.log.push(`${code} ${JSON.stringify(fields)}`);
  }

  #step(): void {
    this.#life?.step('other');
  }

  /** How long a call takes that only reads. */
  readMs(): number {
    const { below, percent } = this.seeded;
    const { readMs, diskMs } = this.traits;
    return readMs > diskMs && percent(READ_SLOW_PERCENT) ? below(readMs) : this.#diskMs();
  }

  #diskMs(): number {
    const { below, percent } = this.seeded;
    return percent(this.traits.slowPercent)
      ? (below(1000) / 1000) * this.traits.diskMs
      : below(300) / 1000;
  }

  #noteOffset(): void {
    const base = BigInt(Math.round(this.#bootedAt * NS_PER_MS)) - BigInt(this.boots) * BOOT_NS;
    this.offsets.push({ from: this.clock.now, ns: EPOCH_NS + base + this.#stepNs });
  }
}
