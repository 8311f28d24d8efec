import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT, exitCodeOf } from '../../agent/errors.ts';
import { readCursor } from '../../agent/export/read/cursor.ts';
import { listSegmentsSync, segmentBytesSync } from '../../agent/journal/segment.ts';
import { run } from '../../agent/run/run.ts';
import { linesWritten, plainSegments } from '../integration/killpoints/written.ts';
import { createSeeded, type Seeded } from '../support/scripted/seeded.ts';
import { judgeMachine } from './judge.ts';
import { type Options, optionsOf } from './options.ts';
import { enter } from './world/current.ts';
import { luckOf } from './world/disk.ts';
import { findHole, linesIn } from './world/hole.ts';
import { Killed, type Plan } from './world/life.ts';
import { Machine } from './world/machine.ts';

const LIVES = [2, 6] as const;
/** How many lives may follow until everything is exported. */
const LAST_LIVES = 4;
const STEPS_MAX = 900;
const LIFE_MS = 12_000;
/** More calls of the disk than it takes to open a journal, until its last segment is synced. */
const OPENING_CALLS = 20;
const PATIENCE_MS = 1_200_000;
/** More events than a life without a fault has. */
const EVENTS_MAX = 400_000;
const ID = 44;
const LOG_SHOWN = 8;
const UNDISTURBED: Plan = { killAt: undefined, inWrite: false, faults: [], shortPercent: 0 };

/** What a seed shows. */
export interface Simulated {
  readonly findings: readonly string[];
  readonly steps: number;
  readonly lines: number;
  /** of all that was written, logged and received: for comparing two simulations of one seed */
  readonly hash: string;
}

/** Simulates a machine from its first boot until everything is recorded and exported, and judges it. */
export async function simulate(seed: number, isKept = false): Promise<Simulated> {
  const seeded = createSeeded(seed);
  const root = mkdtempSync(
    join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'vcml-simulation-'),
  );
  try {
    const traits = {
      cpus: 1 + seeded.below(3),
      refusedPercent: seeded.among([0, 2, 5]),
      diskMs: seeded.among([1, 20, 200]),
      slowPercent: seeded.among([10, 60]),
      readMs: seeded.among([1, 1, 4000]),
      recentBytes: seeded.among([5000, 4 << 20]),
      answerMs: seeded.among([3, 120]),
      finePercent: seeded.among([35, 35, 85]),
    };
    const machine = new Machine(seeded, join(root, 'journal'), traits);
    enter(machine);
    return await new Simulation(machine, optionsOf(seeded)).run();
  } finally {
    if (!isKept) rmSync(root, { recursive: true, force: true });
    else console.log(root);
  }
}

class Simulation {
  readonly #machine: Machine;
  readonly #options: Options;
  readonly #seeded: Seeded;
  readonly #findings: string[] = [];
  /** what the journal ever had, until the last power cut */
  #history: string[] = [];
  /** plain segments that a power cut left */
  #left = new Map<string, Buffer>();
  /** the lines that it left */
  #before: readonly string[] = [];
  #steps = 0;
  readonly #isStormy: boolean;
  /** the usual longest time between two bursts of execs */
  readonly #gapMs: number;

  constructor(machine: Machine, options: Options) {
    this.#machine = machine;
    this.#options = options;
    this.#seeded = machine.seeded;
    this.#isStormy = machine.seeded.percent(20);
    this.#gapMs = machine.seeded.among([300, 300, 1500]);
  }

  async run(): Promise<Simulated> {
    const { below } = this.#seeded;
    const lives = LIVES[0] + below(LIVES[1]);
    for (let n = 0; n < lives && this.#findings.length === 0; n++) {
      await this.#live();
      this.#between();
    }
    if (this.#findings.length === 0) await this.#finish();
    this.#keepHistory();
    const { collector, log } = this.#machine;
    if (this.#findings.length === 0) this.#judge();
    this.#findings.push(...collector.findings);
    const hash = createHash('sha256');
    // Ids depend on times, and nothing here on the name of a folder.
    for (const line of [...this.#history, ...collector.received]) hash.update(line.slice(0, ID));
    for (const line of log) hash.update(line.slice(0, line.indexOf(' ')));
    return {
      findings: this.#findings,
      steps: this.#steps,
      lines: this.#history.length,
      hash: hash.digest('hex').slice(0, 16),
    };
  }

  /** One life that ends by a signal, a kill, or a power cut. */
  async #live(): Promise<void> {
    const { below, percent, among } = this.#seeded;
    const ending = among(['kill', 'kill', 'cut', 'cut', 'stop', 'detach'] as const);
    const isStopped = ending === 'stop' || ending === 'detach';
    const stopAfter = isStopped || percent(30) ? below(LIFE_MS) : LIFE_MS;
    const from = below(STEPS_MAX);
    const faults = percent(50)
      ? [
          {
            from,
            to: percent(30) ? Number.POSITIVE_INFINITY : from + below(120),
            error: among(['ENOSPC', 'EIO'] as const),
            percent: among([20, 60, 100]),
            onlyLines: percent(30),
          },
        ]
      : [];
    const killAt = isStopped ? undefined : 1 + below(percent(40) ? 60 : STEPS_MAX);
    const plan = { killAt, inWrite: percent(30), faults, shortPercent: among([0, 0, 30]) };
    const onExit = ending === 'detach' ? 'detach' : 'keep';
    await this.#run(plan, onExit, () => this.#traffic(stopAfter));
    if (ending === 'cut' && this.#mayBeCut) this.#cut();
  }

  /** Lives on without faults until everything is exported. */
  async #finish(): Promise<void> {
    this.#machine.collector.isFine = true;
    for (let n = 0; n < LAST_LIVES; n++) {
      const logged = this.#machine.log.length;
      const code = await this.#run(UNDISTURBED, 'keep', () => this.#stopOnceExported());
      if (this.#findings.length > 0) return;
      const isUnfinished = this.#machine.log
        .slice(logged)
        .some((line) => line.startsWith('export.unfinished'));
      if (code === 0 && !isUnfinished) return;
    }
    this.#findings.push(
      `the export does not end: ${this.#machine.log.slice(-LOG_SHOWN).join('; ')}`,
    );
  }

  #stop = new AbortController();

  /** Runs the agent until it ends or is killed; returns its exit code, undefined if it was killed. */
  async #run(
    plan: Plan,
    onExit: 'keep' | 'detach',
    begin: () => void,
  ): Promise<number | undefined> {
    const machine = this.#machine;
    const life = machine.begin(plan);
    const { diskMs, readMs } = machine.traits;
    machine.disk.syncs.inherit(machine.clock.now + OPENING_CALLS * Math.max(diskMs, readMs));
    // A batch whose sync failed is no part of the journal with the policy `always`.
    machine.disk.syncs.triesAgain = this.#options.sync === 'interval';
    this.#stop = new AbortController();
    const { deletes: _, ...options } = this.#options;
    const config = { ...options, journalDir: machine.disk.dir, onExit };
    let code: number | undefined;
    begin();
    run(config, this.#stop.signal).then(
      (end) => {
        code = end;
      },
      (error: Error) => {
        code = exitCodeOf(error);
        if (code === EXIT.bug && life.isAlive) this.#findings.push(`a life ends: ${error.stack}`);
      },
    );
    for (let events = 0; life.isAlive && code === undefined; events++) {
      await settled();
      if (!life.isAlive || code !== undefined) break;
      try {
        if (!machine.clock.step()) this.#findings.push('nothing happens any more');
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
      this.#judgeCut();
      if (events > EVENTS_MAX) this.#findings.push('a life does not end');
      if (this.#findings.length > 0) break;
    }
    this.#judgeSyncs();
    machine.end();
    await settled();
    this.#steps += life.steps;
    this.#note();
    return code;
  }

  /** Lets execs happen, and somebody set the clock, until the agent is asked to stop. */
  #traffic(stopAfter: number): void {
    const { clock, kernel, setClock } = {
      ...this.#machine,
      setClock: () => this.#machine.setClock(),
    };
    const { below, percent } = this.#seeded;
    const more = () => {
      // Whoever cut the power now would find this.
      this.#judgeSyncs();
      kernel.happen(1 + below(this.#isStormy && percent(20) ? 150 : 6));
      if (percent(4)) setClock();
      clock.after(below(percent(10) ? 4000 : this.#gapMs), more);
    };
    clock.after(below(this.#gapMs), more);
    clock.after(stopAfter, () => {
      this.#machine.disk.syncs.triesAgain = false;
      this.#stop.abort('SIGTERM');
    });
  }

  /** Execs happen while no agent runs, and files get lost. */
  #between(): void {
    const machine = this.#machine;
    const { below, percent } = this.#seeded;
    machine.clock.now += 1 + below(2000);
    for (let n = below(4); n > 0; n--) machine.kernel.happen(1 + below(5), true);
    if (percent(10)) machine.setClock();
    for (const name of ['state.json', 'checkpoint.json']) {
      const file = join(machine.disk.dir, name);
      if (!existsSync(file) || !percent(15)) continue;
      if (percent(50)) rmSync(file);
      else writeFileSync(file, 'damaged');
    }
  }

  #stopOnceExported(): void {
    const { clock, disk } = this.#machine;
    const until = clock.now + PATIENCE_MS;
    const look = () => {
      const newest = listSegmentsSync(disk.dir).at(-1);
      const end = newest && {
        segment: newest.number,
        offset: newest.compressed ? 0 : segmentBytesSync(disk.dir, newest),
      };
      const isExported = JSON.stringify(readCursor(disk.dir)) === JSON.stringify(end);
      if (isExported || clock.now > until) this.#stop.abort('SIGTERM');
      else clock.after(1000, look);
    };
    clock.after(3000, look);
  }

  /** Who wants no syncs may lose anything in a power cut on a disk that cannot sync. */
  get #mayBeCut(): boolean {
    return this.#options.sync !== 'never' || !this.#machine.disk.syncs.hasFailed;
  }

  /** Finds whether a power cut at this moment would leave a hole. */
  #judgeCut(): void {
    const { disk } = this.#machine;
    // A segment that was deleted for space may come back, and so precede a gap that is recorded.
    if (this.#options.deletes || !this.#mayBeCut || !existsSync(disk.dir)) return;
    if (!this.#seeded.percent(1)) return;
    const dir = `${disk.dir}?`;
    disk.wouldLeave(dir, luckOf(this.#seeded));
    const written = linesWritten(disk.operations, new Map(this.#left));
    // Plain segments that a power cut left are in both.
    const hole = findHole(dir, [...new Set([...this.#before, ...written])]);
    if (hole !== undefined) this.#findings.push(hole);
    rmSync(dir, { recursive: true });
  }

  #judgeSyncs(): void {
    const { disk, clock, traits } = this.#machine;
    const { sync, syncInterval } = this.#options;
    // A write and a sync may be under way.
    const busyMs = 3 * traits.diskMs;
    const bound = { always: busyMs, interval: syncInterval + busyMs, never: undefined }[sync];
    const deadline = bound === undefined ? undefined : clock.now - bound;
    this.#findings.push(...disk.syncs.overdue(deadline));
  }

  #judge(): void {
    const left = { journal: this.#machine.disk.dir, history: this.#history };
    try {
      this.#findings.push(...judgeMachine(this.#machine, left));
    } catch (error) {
      this.#findings.push(`the journal cannot be judged: ${error}`);
    }
  }

  #cut(): void {
    const machine = this.#machine;
    this.#keepHistory();
    const { bootId } = machine;
    for (const hook of machine.kernel.hooks) if (hook.bootId === bootId) hook.isCut = true;
    machine.disk.cut(luckOf(this.#seeded));
    this.#left = plainSegments(machine.disk.dir);
    this.#before = linesIn(machine.disk.dir);
    machine.reboot();
  }

  #keepHistory(): void {
    const before = new Set([...this.#left.values()].flatMap((bytes) => `${bytes}`.split('\n')));
    const written = linesWritten(this.#machine.disk.operations, this.#left);
    this.#history.push(...written.filter((line) => !before.has(line)));
  }

  #note(): void {
    const bugs = this.#machine.log.filter((line) => /^export\.(failed|encoder_fault)/.test(line));
    this.#findings.push(...bugs);
  }
}

/** Waits until everything has happened that needs no event. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
