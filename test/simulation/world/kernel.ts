import type { Hook } from '../../../agent/source/hook.ts';
import { createAddon, emptyMemory, type KernelMemory } from '../../support/scripted/kernel.ts';
import { type Fate, Script, type ScriptedExec } from '../../support/scripted/script.ts';
import type { Seeded } from '../../support/scripted/seeded.ts';

/** What happened under one hook, for the judges. */
export interface HookHistory {
  readonly bootId: string;
  readonly execs: readonly ScriptedExec[];
  /** by exec: the simulated time in milliseconds */
  readonly happenedAt: readonly number[];
  readonly memory: KernelMemory;
  hookId: string;
  /** The power was cut while it was there. */
  isCut: boolean;
  /** An agent detached it in order. */
  isDetached: boolean;
}

/** What the kernel needs of its machine. */
export interface KernelHost {
  readonly seeded: Seeded;
  readonly cpus: number;
  readonly refusedPercent: number;
  readonly now: number;
  readonly bootId: string;
  clocks(): { readonly boot: bigint; readonly wall: bigint };
  /** One step of the agent's life outside of the disk. */
  step(): void;
}

const FATES: readonly Fate[] = ['damaged', 'foreign', 'lost'];
const FATE_PERCENT = 10;
/** how often all execs of a burst are lost, because the ring is full */
const OVERFLOW_PERCENT = 8;
const MISS_PERCENT = 3;

/** The kernel side, which records while no agent runs. */
export class Kernel {
  /** of all hooks; the last one is there */
  readonly hooks: (HookHistory & { readonly script: Script; readonly happenedAt: number[] })[] = [];
  readonly #host: KernelHost;
  #wake = () => {};
  /** Whether numbers grow without events. */
  #isQuiet = false;
  /** Until a hook is removed, nothing happens any more that it knows. */
  #isDisarmed = false;

  constructor(host: KernelHost) {
    this.#host = host;
    this.boot();
  }

  /** Begins without a hook. */
  boot(): void {
    const { seeded, cpus, bootId, refusedPercent } = this.#host;
    const script = new Script(seeded, `h${this.hooks.length}`, cpus, refusedPercent);
    this.#isQuiet = false;
    this.hooks.push({
      script,
      execs: script.execs,
      happenedAt: [],
      memory: emptyMemory(cpus),
      bootId,
      hookId: '',
      isCut: false,
      isDetached: false,
    });
  }

  /** What agent/source/hook.ts loads. */
  get addon(): unknown {
    const kernel = this;
    function Opened(): Hook {
      kernel.#host.step();
      return kernel.#open();
    }
    return { Hook: Opened };
  }

  /** Lets some execs happen on one of the CPUs or on several, if there is a hook. */
  happen(count: number, isAway = false): void {
    const { seeded, cpus, now } = this.#host;
    const { memory, script, happenedAt } = this.#there;
    if (memory.armedAt === 0n || this.#isDisarmed) return;
    const isOverflow = seeded.percent(OVERFLOW_PERCENT);
    if (isAway && seeded.percent(30)) this.#goQuiet();
    const fixed = seeded.percent(50) ? seeded.below(cpus) : undefined;
    for (let n = 0; n < count; n++) {
      const cpu = fixed ?? seeded.below(cpus);
      const fate = this.#isQuiet ? 'quiet' : isOverflow ? 'lost' : this.#fate();
      const last = script.execs.at(-1)?.bootTime ?? 0n;
      const { boot } = this.#host.clocks();
      const exec = script.add(cpu, boot > last ? boot : last + 1n, fate);
      happenedAt.push(now);
      const quiet = memory.quiet[cpu];
      if (fate === 'quiet' && quiet !== undefined) {
        if (quiet.last !== exec.seq - 1) quiet.first = exec.seq;
        quiet.last = exec.seq;
      }
    }
    memory.happened = script.execs.length;
    if (seeded.percent(MISS_PERCENT)) memory.misses += 1 + seeded.below(3);
    const wake = this.#wake;
    this.#wake = () => {};
    if (!this.#isQuiet) wake();
  }

  /** No agent sleeps any more. */
  forget(): void {
    this.#wake = () => {};
  }

  get #there() {
    const there = this.hooks.at(-1);
    if (there === undefined) throw new Error('the kernel has not booted');
    return there;
  }

  #fate(): Fate {
    const { seeded } = this.#host;
    return seeded.percent(FATE_PERCENT) ? seeded.among(FATES) : 'sound';
  }

  /** Only one quiet range of each CPU is kept: another one begins once an agent knows the last. */
  #goQuiet(): void {
    const { memory } = this.#there;
    this.#isQuiet ||= memory.quiet.every(({ last }, cpu) => last <= (memory.readSeq[cpu] ?? 0));
  }

  #open(): Hook {
    const there = this.#there;
    const { seeded, clocks, step } = this.#host;
    this.#isQuiet = false;
    this.#isDisarmed = false;
    const { Hook } = createAddon({
      memory: there.memory,
      execs: there.execs,
      now: clocks,
      beforeLook: () => {
        if (seeded.percent(20)) this.happen(1 + seeded.below(3));
      },
      changed: () => {},
      sleeps: (wake) => {
        this.#wake = wake;
      },
    }) as { Hook: new () => Hook };
    const hook = new Hook();
    return {
      ...hook,
      arm: () => {
        step();
        const armedAt = hook.arm();
        there.hookId = `${armedAt}`;
        return armedAt;
      },
      drain: () => {
        step();
        return hook.drain();
      },
      commit: (nextSeq, misses) => {
        step();
        hook.commit(nextSeq, misses);
      },
      detach: () => {
        step();
        there.isDetached = there.memory.armedAt !== 0n;
        const names = hook.detach();
        this.#isDisarmed = false;
        this.boot();
        return names;
      },
      disarm: () => {
        step();
        hook.disarm();
        this.#isDisarmed = true;
      },
    };
  }
}
