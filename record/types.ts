/**
 * The types that flow from stage to stage. This file imports nothing. Strings from the kernel
 * (paths, arguments, comm) are in the escaped form of records: valid UTF-8, other bytes as `\xHH`,
 * a backslash as `\\` (docs/record.md). JSON adds its own escaping.
 */

/** A point on the boot clock (CLOCK_BOOTTIME), exact beyond 2^53 ns. */
export interface BootTime {
  readonly seconds: number;
  /** 0 to 999,999,999 */
  readonly nanos: number;
}

/** A UUID as four words of 32 bits: making one and writing it takes no string. */
export interface Uuid {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** How far the wall clock is ahead of the boot clock. */
export interface WallOffset {
  readonly seconds: number;
  /** 0 to 999,999,999 */
  readonly nanos: number;
}

/** Returns a boot time as exact decimal nanoseconds. */
export function nanosecondsOf({ seconds, nanos }: BootTime): string {
  return seconds === 0 ? `${nanos}` : `${seconds}${`${1_000_000_000 + nanos}`.slice(1)}`;
}

/**
 * The cgroup ids of a process; hierarchy numbers as in /proc/PID/cgroup, where 0 is the unified
 * one.
 */
export interface CgroupIds {
  readonly v2: bigint;
  readonly memory: bigint;
  readonly pids: bigint;
  readonly memoryHierarchy: number;
  readonly pidsHierarchy: number;
}

/** The place of an invocation, as its exec found it. */
export interface ObservedPlace {
  readonly cgroup: CgroupIds;
  /** inode of the mount namespace */
  readonly mountNamespace: number;
}

/** The place of an exec, as its record states it. */
export interface Place {
  /** The resource as JSON text; equal values are one string. */
  readonly resource: string;
  /** a line of /proc/PID/cgroup; undefined: not known */
  readonly cgroup: string | undefined;
  /** JSON text of more attributes, each with a comma before it; there are few distinct values */
  readonly attributes: string;
}

/** The cause of a process just before its exec, from the kernel's table. */
export type Cause =
  | {
      readonly kind: 'record';
      readonly bootTime: BootTime;
      readonly pid: number;
      readonly cpu: number;
      readonly seq: number;
      /** Where the cause ran, unless that is the place of the exec. */
      readonly elsewhere?: ObservedPlace;
    }
  | {
      readonly kind: 'ancestor';
      readonly pid: number;
      readonly startTime: BootTime;
      /** Where it ran when it forked, if that is known and not the place of the exec. */
      readonly elsewhere?: ObservedPlace;
    }
  | { readonly kind: 'untracked' };

/**
 * Credentials, session, namespaces and cgroups. Equal values are one object, so that its identity
 * can be the key of a cache.
 */
export interface ExecContext {
  readonly uid: number;
  readonly gid: number;
  readonly euid: number;
  readonly egid: number;
  readonly suid: number;
  /** undefined: no login uid is set */
  readonly loginUid: number | undefined;
  readonly sessionId: number;
  /** such as `pts/0`; undefined: no terminal */
  readonly tty: string | undefined;
  /** the effective set, 16 hex digits */
  readonly capabilities: string;
  /** undefined: each of them is as expected ({@link CapabilitySets}), or they were not read */
  readonly otherCapabilities: CapabilitySets | undefined;
  readonly namespaces: {
    readonly pid: number;
    readonly mnt: number;
    readonly net: number;
    readonly user: number;
    readonly cgroup: number;
  };
  readonly cgroup: CgroupIds;
}

/**
 * The sets of capabilities beside the effective one, 16 hex digits each. Expected are: permitted as
 * effective, inheritable and ambient empty, bounding as effective or, if that is empty, complete.
 */
export interface CapabilitySets {
  readonly permitted: string;
  readonly inheritable: string;
  readonly bounding: string;
  /** whether the bounding set is another one than expected */
  readonly isBounded: boolean;
  readonly ambient: string;
}

/** One successful exec, as the kernel reported it. */
export interface ExecEvent {
  readonly kind: 'exec';
  readonly cpu: number;
  readonly seq: number;
  readonly bootTime: BootTime;
  readonly cause: Cause;
  readonly pid: number;
  readonly ppid: number;
  readonly vpid: number;
  readonly startTime: BootTime;
  readonly invocation: Invocation;
  /** undefined: it was not read, because the exec is no entry, or nothing asks for it */
  readonly environment?: Environment;
  /** undefined: the record says nothing of it */
  readonly recordedEnvironment?: RecordedEnvironment;
}

/** What a record says of the environment that the new program began with. */
export interface RecordedEnvironment {
  /** the configured ones that have a value, without secrets, each once and in the order of the names */
  readonly variables: readonly Variable[];
  /** Whether not all of it could be searched. */
  readonly isTruncated: boolean;
  readonly trace: TraceContext | undefined;
}

/** The span of a trace that a caller claims to be, by the W3C's Trace Context. */
export interface TraceContext {
  /** 32 lower-case hex digits, not all zero */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero */
  readonly spanId: string;
  /** 0 to 255 */
  readonly flags: number;
}

export interface Variable {
  readonly name: string;
  readonly value: string;
}

/** What is kept of a new program's environment: the variables with names that were asked for. */
export interface Environment {
  /** in their order, also those that stand twice; values as the kernel has them, not redacted */
  readonly variables: readonly Variable[];
  /**
   * Whether a variable may be missing, because not all could be searched: it was longer than 4 KiB, a
   * page was not in memory, or the ring was crowded.
   */
  readonly isCut: boolean;
}

/**
 * What was executed, how and where: everything about an exec that can recur. Equal invocations are
 * one object, so that its identity can be the key of a cache.
 */
export interface Invocation {
  readonly comm: string;
  readonly context: ExecContext;
  readonly object: string;
  readonly objectTruncated: boolean;
  /** The object was unknown and is the executable's resolved path. */
  readonly objectResolved: boolean;
  readonly workingDirectory: string;
  readonly workingDirectoryTruncated: boolean;
  readonly executable: Executable;
  /** undefined: arguments are not recorded */
  readonly args: readonly string[] | undefined;
  /** the number of secrets that were removed from them */
  readonly argsRedacted: number;
  readonly argsCount: number;
  /** the number of bytes before truncation, with terminators */
  readonly argsSize: number;
  readonly argsTruncated: boolean;
  readonly interactive: boolean;
  /** The process and its children cannot gain privileges by an exec. */
  readonly noNewPrivs: boolean;
  /** A seccomp filter decides on its system calls. */
  readonly seccompFilter: boolean;
  /** The effective user and group are the file's, by its setuid and setgid bits. */
  readonly gainedSetuid: boolean;
  readonly gainedSetgid: boolean;
  /** It was seen before, so that its rendered text is worth keeping. */
  readonly recurring: boolean;
}

export interface Executable {
  readonly path: string;
  readonly pathTruncated: boolean;
  /** decimal */
  readonly inode: string;
  /** `major:minor` */
  readonly device: string;
  /** permission bits, four octal digits such as `4755` */
  readonly mode: string;
  readonly memfd: boolean;
  readonly upperLayer: boolean;
  readonly setuid: boolean;
  readonly unlinked: boolean;
}

/**
 * Who made a cgroup. Whoever may make cgroups below their own can give them the name of any
 * container; a container runtime of the host is `privileged` (`enum cgroup_maker`).
 */
export type CgroupMaker = 'unknown' | 'privileged' | 'other';

export type CgroupEvent = NamedCgroup &
  (
    | { readonly kind: 'cgroup_mkdir'; readonly path: string; readonly maker: CgroupMaker }
    | { readonly kind: 'cgroup_rmdir' }
  );

interface NamedCgroup {
  readonly id: bigint;
  readonly hierarchy: number;
  /** Whether events of cgroups are missing before it. */
  readonly isAfterLoss?: true;
}

/** An event that could not be read; it has cpu and seq only if its head is sound. */
export interface UnreadableEvent {
  readonly kind: 'unreadable';
  readonly why: string;
  /** `upgrade`: of another version of the kernel side */
  readonly stage: 'decode' | 'upgrade';
  readonly cpu?: number;
  readonly seq?: number;
}

/** A cgroup's event that could not be read; the cgroup is searched for when it is needed. */
export interface UnreadableCgroupEvent {
  readonly kind: 'unreadable_cgroup';
  readonly why: string;
}

export type KernelEvent = ExecEvent | CgroupEvent | UnreadableEvent | UnreadableCgroupEvent;

/** Why an exec has no parent_cause. */
export type Gap =
  | {
      readonly reason: 'predates_hook';
      readonly pid: number;
      readonly startTime: BootTime;
      readonly ancestor: Ancestor | undefined;
    }
  | { readonly reason: 'lost'; readonly lostCause: string }
  | { readonly reason: 'untracked' };

/** A process as it was when the hook was armed. */
export interface Ancestor {
  readonly comm?: string;
  readonly executablePath?: string;
}

/** What can cause a loss; docs/record.md says what each means. */
export const LOSS_STAGES = [
  'ring_buffer',
  'quiet',
  'decode',
  'journal',
  'upgrade',
  'reboot',
  'kernel',
  'retention',
] as const;
export type LossStage = (typeof LOSS_STAGES)[number];

/**
 * Missing records: a range of one CPU's numbers or, if those are unknown, what is known instead.
 */
export interface Loss {
  readonly stage: LossStage;
  readonly hookId?: string;
  readonly cpu?: number;
  readonly firstSeq?: number;
  readonly lastSeq?: number;
  readonly count?: number;
  readonly bootId?: string;
  readonly nextSeq?: readonly number[];
  /** the boot time in decimal nanoseconds at which all programs were last known to be attached */
  readonly since?: string;
}

/** Contiguous numbers of one CPU, from the first to the last. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

/** Records of one CPU that a rule kept back from the export. */
export interface Withheld {
  readonly hookId: string;
  readonly cpu: number;
  /** in ascending order, and apart from each other */
  readonly ranges: readonly NumberRange[];
}

/** Returns ranges in the form of records, such as `1126-1423`. */
export function rangeTexts(ranges: readonly NumberRange[]): string[] {
  return ranges.map(({ first, last }) => `${first}-${last}`);
}

/** Why an epoch of checkpoints began. */
export type EpochReason = 'new' | 'upgraded' | 'damaged' | 'truncated';

/** What a checkpoint says of the journal so far. Hashes are SHA-256 in base64. */
export interface Checkpoint {
  /** UUID */
  readonly epoch: string;
  /** Only in the first of an epoch. */
  readonly begin: EpochBegin | undefined;
  /** the number of leaves, with this one */
  readonly size: number;
  readonly root: string;
  /** of its block */
  readonly bytes: number;
  readonly leaf: string;
  /** Only in the first of a segment, except in the first of an epoch. */
  readonly continued:
    | { readonly previousLine: string; readonly frontier: readonly string[] }
    | undefined;
  readonly unverifiedSegments: number;
  /** decimal */
  readonly hookId: string;
  /** by CPU */
  readonly nextSeq: readonly number[];
  /** see `vcml.checkpoint.complete_until`; undefined: not known yet */
  readonly completeUntil: BootTime | undefined;
  /** a signed note */
  readonly note: string | undefined;
}

/** Why an epoch began, and the last checkpoint that is known of the epoch before. */
export interface EpochBegin {
  readonly reason: EpochReason;
  readonly previous:
    | { readonly epoch: string; readonly size: number; readonly root: string }
    | undefined;
}

export type HookState = 'attached' | 'resumed' | 'upgraded' | 'kept' | 'detached';

export interface ExecRecord {
  readonly action: 'exec';
  readonly id: Uuid;
  readonly event: ExecEvent;
  readonly parentCause: Uuid | null;
  readonly gap: Gap | undefined;
}

/** A record about the journal itself. */
export type JournalRecord = { readonly id: string; readonly bootTime: BootTime } & (
  | {
      readonly action: 'journal.start';
      readonly version: string;
      readonly hookState: HookState;
      readonly nextSeq: readonly number[];
    }
  | { readonly action: 'journal.loss'; readonly loss: Loss }
  | { readonly action: 'journal.checkpoint'; readonly checkpoint: Checkpoint }
  | {
      readonly action: 'journal.stop';
      readonly hookState: HookState;
      readonly records: number;
      readonly gaps: number;
      readonly losses: number;
    }
);

export type CausalRecord = ExecRecord | JournalRecord;
