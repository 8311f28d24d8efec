import { causeKind, execEvent } from '../../../agent/source/layout.ts';
import { craftExec } from '../kernel-events.ts';
import type { Seeded } from './seeded.ts';

/**
 * What becomes of a scripted exec: its event is sound, or a reader cannot read it (damaged, or of
 * another version), or it does not fit into the ring, or no agent was reading for a long time.
 */
export type Fate = 'sound' | 'damaged' | 'foreign' | 'lost' | 'quiet';

/** Whether an exec has an event in the ring. */
export function hasEvent({ fate }: ScriptedExec): boolean {
  return fate !== 'lost' && fate !== 'quiet';
}

/** An exec that the kernel of a script reports. */
export interface ScriptedExec {
  readonly cpu: number;
  readonly seq: number;
  readonly fate: Fate;
  /** nanoseconds since boot */
  readonly bootTime: bigint;
  readonly pid: number;
  /** The exec that caused it, earlier in the script; or a cause that has no record. */
  readonly cause: ScriptedExec | 'ancestor' | 'untracked';
  /** The argument, which distinguishes it from all others. */
  readonly mark: string;
}

/** Marks of execs whose records a scripted collector refuses for good. */
export const REFUSED = 'refuse-me';
/** The file that some of the execs run, and which a rule can name. */
export const QUIET = '/usr/bin/quiet';

const FIRST_PID = 1000;
const NAMESPACES = [
  execEvent.contextPidNs,
  execEvent.contextMntNs,
  execEvent.contextNetNs,
  execEvent.contextUserNs,
  execEvent.contextCgroupNs,
  execEvent.causeMntNs,
];
/** The root of the unified hierarchy, which nobody has to look up. */
const ROOT_CGROUP = 1n;
const OTHER_VERSION = 99;
const NO_CAUSE = 99;

/** Adds execs to a script as its kernel would: numbers by CPU, causes among earlier ones. */
export class Script {
  readonly execs: ScriptedExec[] = [];
  readonly #seqs: number[];
  readonly #seeded: Seeded;
  readonly #name: string;
  readonly #refusedPercent: number;

  /** `name` keeps the marks of several scripts apart. */
  constructor(seeded: Seeded, name: string, cpus: number, refusedPercent = 2) {
    this.#seeded = seeded;
    this.#name = name;
    this.#refusedPercent = refusedPercent;
    this.#seqs = new Array<number>(cpus).fill(0);
  }

  /** The number of CPUs. */
  get cpus(): number {
    return this.#seqs.length;
  }

  /** Appends an exec; `cpu` and `bootTime` say where and when. */
  add(cpu: number, bootTime: bigint, fate: Fate): ScriptedExec {
    const seq = (this.#seqs[cpu] ?? 0) + 1;
    this.#seqs[cpu] = seq;
    const n = this.execs.length;
    const refused = this.#seeded.percent(this.#refusedPercent) ? `-${REFUSED}` : '';
    const padding = this.#seeded.percent(30) ? this.#noise(this.#seeded.below(900)) : '';
    const exec = {
      cpu,
      seq,
      fate,
      bootTime,
      pid: FIRST_PID + n,
      cause: this.#cause(),
      mark: `${this.#name}-${n}${refused}${padding}`,
    };
    this.execs.push(exec);
    return exec;
  }

  /** Text that does not get much smaller when it is compressed. */
  #noise(length: number): string {
    let text = '-';
    while (text.length < length) text += this.#seeded.below(36 ** 4).toString(36);
    return text;
  }

  #cause(): ScriptedExec['cause'] {
    const { execs } = this;
    const dice = this.#seeded.below(20);
    if (dice === 0 || execs.length === 0) return 'untracked';
    if (dice === 1) return 'ancestor';
    // Mostly a recent one; sometimes any, however long ago.
    const among = dice < 15 ? Math.min(execs.length, 5) : execs.length;
    return execs[execs.length - 1 - this.#seeded.below(among)] ?? 'untracked';
  }
}

const events = new WeakMap<ScriptedExec, Buffer>();

/** Returns the bytes of an exec's event in the ring. */
export function eventOf(exec: ScriptedExec): Buffer {
  const event = events.get(exec) ?? madeOf(exec);
  events.set(exec, event);
  return event;
}

function madeOf(exec: ScriptedExec): Buffer {
  const { cpu, seq, bootTime, pid, mark, fate } = exec;
  const args = `p\0${mark}\0`;
  const event = craftExec({
    cpu,
    seq: BigInt(seq),
    bootTime,
    startTime: bootTime - 500n,
    pid,
    ppid: pid - 1,
    vpid: pid,
    comm: 'p',
    cause: causeOf(exec),
    object: '/usr/bin/p',
    path: pid % 5 < 2 ? QUIET : '/usr/bin/p',
    cwd: '/',
    args,
    argsCount: 2,
    argsSize: args.length,
    u32: NAMESPACES.map((offset) => [offset, 4_026_531_836]),
    u64: [
      [execEvent.contextCgroupV2, ROOT_CGROUP],
      [execEvent.causeCgroupV2, ROOT_CGROUP],
    ],
  });
  if (fate === 'foreign') event.writeUInt16LE(OTHER_VERSION, execEvent.headVersion);
  return event;
}

function causeOf({ cause, fate, bootTime }: ScriptedExec) {
  if (fate === 'damaged') return { kind: NO_CAUSE };
  if (cause === 'untracked') return { kind: causeKind.causeUntracked };
  if (cause === 'ancestor') return { kind: causeKind.causeAncestor, pid: 2, bootTime: 5n };
  const { cpu, seq, pid } = cause;
  if (bootTime <= cause.bootTime) throw new Error('an exec comes after its cause');
  return { kind: causeKind.causeRecord, bootTime: cause.bootTime, pid, cpu, seq: BigInt(seq) };
}
