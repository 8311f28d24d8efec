import type { Hook } from '../../../agent/source/hook.ts';
import { cpuState } from '../../../agent/source/layout.ts';
import { eventOf, hasEvent, type ScriptedExec } from './script.ts';

const FRAME_BYTES = 8;
const BUFFER_BYTES = 256 << 10;
const NS_PER_SECOND = 1_000_000_000n;

/** What a kernel keeps while no agent runs. */
export interface KernelMemory {
  /** The boot time in nanoseconds at which the hook was armed; 0: there is no hook. */
  armedAt: bigint;
  /** The number of agents that have opened the hook. */
  lives: number;
  /** The number of execs of the script that have happened. */
  happened: number;
  /** The number of those whose room in the ring is free again. */
  released: number;
  /** The last number of each CPU that an agent has committed. */
  readonly readSeq: number[];
  /** Execs for which the kernel did not run the program. */
  misses: number;
  /** The number of those that an agent has committed. */
  readMisses: number;
  /** The last range of each CPU's numbers that was skipped while no agent was reading. */
  readonly quiet: { first: number; last: number }[];
}

/** Returns the memory of a kernel without a hook. */
export function emptyMemory(cpus: number): KernelMemory {
  return {
    armedAt: 0n,
    lives: 0,
    happened: 0,
    released: 0,
    readSeq: new Array<number>(cpus).fill(0),
    misses: 0,
    readMisses: 0,
    quiet: Array.from({ length: cpus }, () => ({ first: 0, last: 0 })),
  };
}

/** What a scripted kernel needs of its world. */
export interface KernelWorld {
  readonly memory: KernelMemory;
  /** All execs that have happened, or are going to. */
  readonly execs: readonly ScriptedExec[];
  /** The boot time and the wall time now, in nanoseconds. */
  now(): { readonly boot: bigint; readonly wall: bigint };
  /** Called before an agent looks at the ring: more execs may happen. */
  beforeLook(): void;
  /** Called when the memory has changed. */
  changed(): void;
  /** Called with what wakes an agent that sleeps. */
  sleeps(wake: () => void): void;
}

/** What agent/source/hook.ts loads as the addon: hooks over a scripted kernel instead of a real one. */
export function createAddon(world: KernelWorld): unknown {
  function Hook(): Hook {
    return openHook(world);
  }
  Hook.remove = () => [];
  return { Hook };
}

function openHook(world: KernelWorld): Hook {
  const { memory, execs } = world;
  const bytesUpTo = createPositions(execs);
  const buffer = Buffer.from(new ArrayBuffer(BUFFER_BYTES));
  const clock = new Float64Array(5);
  const state = memory.armedAt === 0n ? 'attached' : 'resumed';
  const cpuCount = memory.readSeq.length;
  /** the number of execs that were copied out of the ring */
  let drained = memory.released;
  let isArmed = true;

  function readClocks(): void {
    const { boot, wall } = world.now();
    clock[0] = Number(boot / NS_PER_SECOND);
    clock[1] = Number(boot % NS_PER_SECOND);
    clock[2] = Number(wall / NS_PER_SECOND);
    clock[3] = Number(wall % NS_PER_SECOND);
  }

  /** Copies execs into the buffer; returns the bytes. */
  function drain(): number {
    if (isArmed) world.beforeLook();
    let bytes = 0;
    for (; drained < memory.happened; drained++) {
      const exec = execs[drained];
      if (exec === undefined || !hasEvent(exec)) continue;
      const event = eventOf(exec);
      if (bytes + frameBytes(event.length) > buffer.length) break;
      buffer.writeUInt32LE(event.length, bytes);
      event.copy(buffer, bytes + FRAME_BYTES);
      bytes += frameBytes(event.length);
    }
    readClocks();
    return bytes;
  }

  memory.lives += 1;
  world.changed();
  readClocks();
  return {
    state,
    missingPrograms: [],
    cpuCount,
    readMisses: memory.readMisses,
    buffer,
    clock,
    arm() {
      if (memory.armedAt === 0n) memory.armedAt = world.now().boot;
      world.changed();
      return memory.armedAt;
    },
    disarm() {
      world.beforeLook();
      isArmed = false;
    },
    drain,
    commit(nextSeq, misses) {
      memory.released = drained;
      memory.readMisses = misses;
      for (const [cpu, next] of nextSeq.entries()) memory.readSeq[cpu] = next - 1;
      world.changed();
    },
    touch: readClocks,
    positions: () => [bytesUpTo(drained), bytesUpTo(memory.happened)],
    sleep(wake) {
      if (drained < memory.happened) return false;
      world.sleeps(wake);
      return true;
    },
    cpuStates: () => cpuStatesOf(world),
    // Any exec may cause a later one.
    causes: () =>
      Float64Array.from(execs.slice(0, memory.happened).flatMap(({ cpu, seq }) => [cpu, seq])),
    cgroup: () => undefined,
    statistics: () => ({
      ringBytes: 1 << 20,
      usedBytes: bytesUpTo(memory.happened) - bytesUpTo(memory.released),
      tableMax: 1024,
      tableEntries: 1,
      untracked: 0,
      programs: [
        {
          name: 'on_exec',
          runCount: memory.happened,
          runTimeNs: 0,
          recursionMisses: memory.misses,
        },
      ],
    }),
    restorePins: () => [],
    releaseMemory: () => {},
    close: () => {},
    detach() {
      memory.armedAt = 0n;
      world.changed();
      return ['links'];
    },
  };
}

/** Creates a function that returns the bytes that the first `count` execs took in the ring. */
function createPositions(execs: readonly ScriptedExec[]): (count: number) => number {
  const ends = [0];
  return (count) => {
    while (ends.length <= count) ends.push((ends.at(-1) ?? 0) + ringBytes(execs[ends.length - 1]));
    return ends[count] ?? 0;
  };
}

/** Returns the bytes that an exec takes in the ring. */
export function ringBytes(exec: ScriptedExec | undefined): number {
  return exec === undefined || !hasEvent(exec) ? 0 : frameBytes(eventOf(exec).length);
}

function frameBytes(length: number): number {
  return FRAME_BYTES + Math.ceil(length / 8) * 8;
}

function cpuStatesOf({ memory, execs }: KernelWorld): Buffer {
  const bytes = Buffer.alloc(memory.readSeq.length * cpuState.bytes);
  const put = (cpu: number, field: number, value: number) =>
    bytes.writeBigUInt64LE(BigInt(value), cpu * cpuState.bytes + field);
  for (const { cpu, seq, fate } of execs.slice(0, memory.happened)) {
    put(cpu, cpuState.seq, seq);
    if (fate === 'lost') put(cpu, cpuState.lostSeq, seq);
  }
  for (const [cpu, { first, last }] of memory.quiet.entries()) {
    put(cpu, cpuState.quietFirst, first);
    put(cpu, cpuState.quietLast, last);
  }
  for (const [cpu, seq] of memory.readSeq.entries()) put(cpu, cpuState.readSeq, seq);
  return bytes;
}
