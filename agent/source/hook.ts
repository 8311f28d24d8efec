import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentError } from '../errors.ts';

export interface HookOptions {
  /** the compiled native/ */
  readonly addonPath: string;
  /** the compiled bpf/exec.bpf.c */
  readonly objectPath: string;
  /** a folder on a bpffs */
  readonly pinDir: string;
  /** told to a second agent that finds the hook held */
  readonly holder: string;
  readonly ringBytes: number;
  /** 0: as many as there can be processes */
  readonly tableEntries: number;
  readonly argsBytes: number;
  /** 0: never */
  readonly quietAfterMs: number;
  /** Where none is, at /sys/fs/bpf alone. */
  readonly mountBpffs: boolean;
  /** false: only take over what is there, else HOOK_ABSENT */
  readonly attach: boolean;
}

export interface ProgramStatistics {
  readonly name: string;
  /** Counted only while the kernel's bpf_stats_enabled is on, like runTimeNs. */
  readonly runCount: number;
  readonly runTimeNs: number;
  readonly recursionMisses: number;
}

export interface HookStatistics {
  readonly ringBytes: number;
  readonly usedBytes: number;
  readonly tableMax: number;
  readonly tableEntries: number;
  readonly untracked: number;
  readonly programs: readonly ProgramStatistics[];
}

/** One cgroup, as the kernel's table has it. */
export interface CgroupName {
  /** the parent's id in the same hierarchy; 0: it is the root */
  readonly parent: bigint;
  /** bytes of its own name, without those of its parents */
  readonly name: Buffer;
}

/** The kernel side as the addon (native/addon.cc) gives it; errors carry codes of agent/errors.ts. */
export interface Hook {
  readonly state: 'attached' | 'resumed' | 'upgraded';
  /** Programs that somebody had detached while the rest stayed. */
  readonly missingPrograms: readonly string[];
  readonly cpuCount: number;
  /** Reused by every drain: frames of u32 length, u32 0 and an event, padded to 8 bytes. */
  readonly buffer: Buffer;
  /** Set by every drain: boot clock seconds and ns, wall clock seconds and ns. */
  readonly clock: Float64Array;
  /** Begins the recording of a new hook; returns the boot time of arming, in ns. */
  arm(): bigint;
  /** Ends the recording for good: what is in the ring is all there will be. */
  disarm(): void;
  /** Copies what is new into `buffer`; returns its bytes. */
  drain(): number;
  /** All that was drained is on disk; nextSeq is the next expected number of each CPU. */
  commit(nextSeq: Float64Array): void;
  /** The reader is alive, though it does not read now. */
  touch(): void;
  /** Bytes ever drained, and ever written by the kernel, in the ring. */
  positions(): readonly [drained: number, written: number];
  /** True: `wake` is called once when there is something to drain. False: there is already. */
  sleep(wake: () => void): boolean;
  /** `struct cpu_state` of each CPU: a copy. */
  cpuStates(): Buffer;
  /** What the kernel side keeps of a cgroup, also of one that is gone; undefined: nothing (any more). */
  cgroup(hierarchy: number, id: bigint): CgroupName | undefined;
  statistics(): HookStatistics;
  /** Lets go; the kernel side stays and goes on recording. */
  close(): void;
  /** Removes everything from the kernel; returns the names of what was removed. */
  detach(): string[];
}

/** Opens the hook; while another agent holds it, tries again for waitMs or until `stop`. */
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

/** Removes whatever of ours is pinned, unread records included; returns the names. */
export function removePins(addonPath: string, pinDir: string): string[] {
  return loadAddon(addonPath).Hook.remove(pinDir);
}

interface HookClass {
  new (options: HookOptions): Hook;
  remove(pinDir: string): string[];
}

function loadAddon(path: string): { Hook: HookClass } {
  try {
    return createRequire(import.meta.url)(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError('ADDON_UNLOADABLE', { path, reason: why }, { cause });
  }
}
