import type { KnownCauses } from '../../agent/lineage/loss-limit.ts';
import type { Cause, ExecEvent, Invocation } from '../../record/types.ts';
import type { Seeded } from '../support/scripted/seeded.ts';

const PROCESSES_MAX = 40;

interface Exec {
  readonly process: number;
  readonly event: ExecEvent;
  readonly isLost: boolean;
  isInTable: boolean;
}

/**
 * The kernel side, as far as causes are concerned, step by step: an exec gets its number, then it
 * is in the table, then its event is in the ring or is lost. The table is read in two parts.
 */
export class ModelKernel implements KnownCauses {
  readonly ring: ExecEvent[] = [];
  /** The first process; it never ends. */
  readonly first = 1;
  /** What happens while the table is read. */
  between = () => {};
  readonly #seeded: Seeded;
  readonly #causes = new Map<number, Cause>();
  readonly #seqs: number[];
  readonly #lost: Set<number>[];
  readonly #lostSeq: number[];
  /** by CPU: the exec that is under way */
  readonly #under: (Exec | undefined)[];
  #pid = 1;
  #entered = 0;

  constructor(cpus: number, seeded: Seeded) {
    this.#seeded = seeded;
    this.#seqs = new Array(cpus).fill(0);
    this.#lostSeq = new Array(cpus).fill(0);
    this.#under = new Array(cpus).fill(undefined);
    this.#lost = Array.from({ length: cpus }, () => new Set<number>());
    // An exec that the agent has seen.
    this.#causes.set(this.first, causeOf(0, 0));
  }

  isLost(cpu: number, seq: number): boolean {
    return this.#lost[cpu]?.has(seq) ?? false;
  }

  /** The highest number of each CPU whose event is lost. */
  lostSeq(): readonly number[] {
    return [...this.#lostSeq];
  }

  numbers = (): readonly number[] => [...this.#seqs];

  causes = (): Float64Array | undefined => {
    const before = this.#entered;
    const pairs: number[] = [];
    for (const part of [0, 1]) {
      for (const [pid, cause] of this.#causes)
        if (pid % 2 === part && cause.kind === 'record') pairs.push(cause.cpu, cause.seq);
      this.between();
    }
    return this.#entered === before ? Float64Array.from(pairs) : undefined;
  };

  fork(parent: number): number {
    const child = ++this.#pid;
    this.#causes.set(child, this.#causeOf(parent));
    this.#entered += 1;
    return child;
  }

  exit(pid: number): void {
    this.#causes.delete(pid);
  }

  /** An exec as a whole. */
  exec(process: number, cpu: number, isLost: boolean): void {
    this.#begin(process, cpu, isLost);
    this.#end(cpu);
  }

  /** One step of one process, by chance. */
  step(): void {
    const { below, among, percent } = this.#seeded;
    const cpu = below(this.#under.length);
    if (this.#under[cpu] !== undefined) {
      this.#advance(cpu);
      return;
    }
    const busy = new Set(this.#under.map((exec) => exec?.process));
    const idle = [...this.#causes.keys()].filter((pid) => !busy.has(pid));
    if (idle.length === 0) return;
    const pid = among(idle);
    const isFull = this.#causes.size >= PROCESSES_MAX;
    if (percent(40)) this.#begin(pid, cpu, percent(50));
    else if (percent(50) && !isFull) this.fork(pid);
    else if (pid !== this.first) this.exit(pid);
  }

  #causeOf(pid: number): Cause {
    const cause = this.#causes.get(pid);
    if (cause === undefined) throw new Error(`there is no process ${pid}`);
    return cause;
  }

  #begin(process: number, cpu: number, isLost: boolean): void {
    const seq = (this.#seqs[cpu] ?? 0) + 1;
    this.#seqs[cpu] = seq;
    const event = eventOf(cpu, seq, this.#causeOf(process));
    this.#under[cpu] = { process, event, isLost, isInTable: false };
  }

  #end(cpu: number): void {
    while (this.#under[cpu] !== undefined) this.#advance(cpu);
  }

  #advance(cpu: number): void {
    const exec = this.#under[cpu];
    if (exec === undefined) return;
    const { event, process, isLost, isInTable } = exec;
    if (!isInTable) {
      this.#causes.set(process, causeOf(cpu, event.seq));
      exec.isInTable = true;
      return;
    }
    this.#under[cpu] = undefined;
    if (!isLost) this.ring.push(event);
    else {
      this.#lost[cpu]?.add(event.seq);
      this.#lostSeq[cpu] = event.seq;
    }
  }
}

function causeOf(cpu: number, seq: number): Cause {
  return { kind: 'record', bootTime: bootTimeOf(cpu, seq), pid: 1, cpu, seq };
}

function eventOf(cpu: number, seq: number, cause: Cause): ExecEvent {
  const bootTime = bootTimeOf(cpu, seq);
  const process = { pid: 1, ppid: 1, vpid: 1, startTime: bootTime };
  // Lineage does not read it.
  const invocation = {} as Invocation;
  return { kind: 'exec', cpu, seq, bootTime, cause, invocation, ...process };
}

function bootTimeOf(cpu: number, seq: number) {
  return { seconds: 81_000 + seq, nanos: cpu };
}
