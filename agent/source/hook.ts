import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HashParts } from '../../record/tree/hashes.ts';
import { AgentError } from '../errors.ts';

/** What the hook is opened with. */
export interface HookOptions {
  /** the compiled native/ */
  readonly addonPath: string;
  /** the compiled bpf/exec.bpf.c */
  readonly objectPath: string;
  /** a folder on a bpffs */
  readonly pinDir: string;
  /** the name of this agent, which a second agent reports when it finds the hook held */
  readonly holder: string;
  readonly ringBytes: number;
  /** 0: as many as the kernel allows processes */
  readonly tableEntries: number;
  readonly argsBytes: number;
  /** Which events have the new program's environment: a value of `environmentAsked` (layout.ts). */
  readonly environment: number;
  /** how long the kernel side records without a reader; 0: without limit */
  readonly quietAfterMs: number;
  /** Whether a bpffs may be mounted if there is none; only at /sys/fs/bpf. */
  readonly mountBpffs: boolean;
  /** false: take over an existing hook, or throw HOOK_ABSENT */
  readonly attach: boolean;
}

/** The kernel's statistics of one BPF program. */
export interface ProgramStatistics {
  readonly name: string;
  /** Counted only while the sysctl kernel.bpf_stats_enabled is 1, like runTimeNs. */
  readonly runCount: number;
  readonly runTimeNs: number;
  readonly recursionMisses: number;
}

/** The use of ring and table, and the programs' statistics. */
export interface HookStatistics {
  readonly ringBytes: number;
  readonly usedBytes: number;
  readonly tableMax: number;
  readonly tableEntries: number;
  readonly untracked: number;
  readonly programs: readonly ProgramStatistics[];
}

/** One cgroup in the kernel side's table. */
export interface CgroupName {
  /** the id of its parent in the same hierarchy; 0: it is the root */
  readonly parent: bigint;
  /** the bytes of its own name, without its parents' */
  readonly name: Buffer;
  /** See cgroupMakerOf(). */
  readonly maker: number;
}

/**
 * The kernel side, as the addon (native/addon.cc) presents it; its errors carry codes of
 * agent/errors.ts.
 */
export interface Hook {
  readonly state: 'attached' | 'resumed' | 'upgraded';
  /** The programs that had been detached while the others remained. */
  readonly missingPrograms: readonly string[];
  readonly cpuCount: number;
  /** The execs that the kernel had skipped at the last commit of an earlier run. */
  readonly readMisses: number;
  /** Frames of u32 length, u32 0 and an event, padded to 8 bytes. Every drain overwrites it. */
  readonly buffer: Buffer;
  /**
   * Boot clock seconds and ns, wall clock seconds and ns, and the ns within which both were read. Every
   * drain sets it.
   */
  readonly clock: Float64Array;
  /** Starts the recording of a new hook; returns the boot time of arming, in ns. */
  arm(): bigint;
  /** Ends the recording for good; no further event enters the ring. */
  disarm(): void;
  /** Copies new events into `buffer` and returns their bytes. */
  drain(): number;
  /**
   * Releases the drained bytes, because they are on disk, as are the losses of so many execs that the
   * kernel skipped; nextSeq is the next expected number of each CPU.
   */
  commit(nextSeq: Float64Array, misses: number): void;
  /**
   * Shows the kernel side that an agent is alive although it does not read now. Does nothing once
   * the hook is closed or detached.
   */
  touch(): void;
  /** The number of bytes ever drained from the ring, and ever written to it by the kernel. */
  positions(): readonly [drained: number, written: number];
  /**
   * True: `wake` will be called once, when there is something to drain. False: there is already.
   */
  sleep(wake: () => void): boolean;
  /** A copy of `struct cpu_state` of each CPU. */
  cpuStates(): Buffer;
  /**
   * Pairs of CPU and number, one after the other: the records in the table of causes. Undefined: the
   * table could not be read, or processes were added meanwhile and some of them may be missing.
   */
  causes(): Float64Array | undefined;
  /**
   * Finds a cgroup in the kernel side's table, which keeps removed ones as well for a time;
   * undefined: not there.
   */
  cgroup(hierarchy: number, id: bigint): CgroupName | undefined;
  statistics(): HookStatistics;
  /**
   * Pins again what others have unpinned, and returns its names. Nothing was detached meanwhile,
   * because the open hook holds all programs and maps.
   */
  restorePins(): string[];
  /** Gives the memory that this process has freed outside of V8's heap back to the kernel. */
  releaseMemory(): void;
  /** Closes the hook; the kernel side stays and keeps recording. */
  close(): void;
  /** Removes everything from the kernel and returns the names of what it removed. */
  detach(): string[];
}

/** Opens the hook; if another agent holds it, it retries for waitMs or until `stop`. */
export async function openHook(
  options: HookOptions,
  waitMs: number,
  stop?: AbortSignal,
): Promise<Hook> {
  const { Hook } = loadAddon(options.addonPath);
  const until = performance.now() + waitMs;
  for (;;) {
    try {
      return new Hook(options);
    } catch (error) {
      const busy = (error as { code?: string }).code === 'HOOK_BUSY';
      if (!busy || stop?.aborted || performance.now() >= until) throw error;
      await sleep(100);
    }
  }
}

/** Removes all pins of a hook, with its unread events, and returns their names. */
export function removePins(addonPath: string, pinDir: string): string[] {
  return loadAddon(addonPath).Hook.remove(pinDir);
}

/** Returns what hashes chunks for checkpoints; undefined: this CPU has no instructions for it. */
export function partHashing(addonPath: string): HashParts | undefined {
  return loadAddon(addonPath).hashParts;
}

interface Addon {
  readonly Hook: HookClass;
  readonly hashParts?: HashParts;
}

interface HookClass {
  new (options: HookOptions): Hook;
  remove(pinDir: string): string[];
}

function loadAddon(path: string): Addon {
  try {
    return createRequire(import.meta.url)(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError('ADDON_UNLOADABLE', { path, reason: why }, { cause });
  }
}
