import type {
  BootTime,
  Cause,
  CgroupIds,
  ExecContext,
  ExecEvent,
  Executable,
  KernelEvent,
} from '../record.ts';
import { causeKind, cgroupEvent, cpuState, eventKind, execEvent, execFlags } from './layout.ts';
import { absolutePath, locate, reachable } from './paths.ts';
import { textOf } from './text.ts';

const EVENT_VERSION = 1;
const NO_LOGIN_UID = 0xffffffff;
const S_ISUID = 0o4000;
const CACHE_ENTRIES = 4096;

/** Reads events out of one reused buffer; offsets are multiples of 8. Pure, but for its caches. */
export interface Decoder {
  decode(offset: number, length: number): KernelEvent;
}

/** A decoder over `buffer`; cpuCount bounds what a sound event can say. */
export function createDecoder(buffer: Buffer, cpuCount: number): Decoder {
  const words = new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.length >> 2);
  const halves = new Uint16Array(buffer.buffer, buffer.byteOffset, buffer.length >> 1);
  const contexts = new Map<string, ExecContext>();
  const executables = new Map<string, Executable>();

  const u32 = (at: number) => words[at >> 2] ?? 0;
  const time = (at: number) => bootTime(u32(at), u32(at + 4));
  const u64 = (at: number) => u32(at + 4) * 0x100000000 + u32(at);
  const big = (at: number) => (BigInt(u32(at + 4)) << 32n) | BigInt(u32(at));
  const start = (offset: number, blob: number) => offset + (halves[(offset + blob) >> 1] ?? 0);
  const end = (offset: number, blob: number) =>
    start(offset, blob) + (halves[(offset + blob + 2) >> 1] ?? 0);
  const text = (offset: number, blob: number) =>
    textOf(buffer, start(offset, blob), end(offset, blob));

  function decode(offset: number, length: number): KernelEvent {
    const why = fault(offset, length);
    if (why !== undefined) return unreadable(offset, length, why);
    switch (halves[(offset + execEvent.headKind) >> 1]) {
      case eventKind.eventExec:
        return exec(offset);
      case eventKind.eventCgroupMkdir: {
        const path = text(offset, cgroupEvent.path);
        return { kind: 'cgroup_mkdir', ...cgroup(offset), path };
      }
      default:
        return { kind: 'cgroup_rmdir', ...cgroup(offset) };
    }
  }

  function cgroup(offset: number) {
    return { id: big(offset + cgroupEvent.id), hierarchy: u32(offset + cgroupEvent.hierarchy) };
  }

  /** What is wrong with an event's structure, or undefined. */
  function fault(offset: number, length: number): string | undefined {
    if (offset % 8 !== 0 || offset < 0 || offset + length > buffer.length)
      return 'outside the buffer';
    if (length < cgroupEvent.bytes) return 'too short for an event';
    if (u32(offset) !== length) return 'size does not match';
    if (halves[(offset + execEvent.headVersion) >> 1] !== EVENT_VERSION) return 'unknown version';
    if (u32(offset + execEvent.headCpu) >= cpuCount) return 'no such CPU';
    const kind = halves[(offset + execEvent.headKind) >> 1];
    if (kind === eventKind.eventCgroupMkdir || kind === eventKind.eventCgroupRmdir)
      return blobFault(offset, length, cgroupEvent.path, cgroupEvent.bytes);
    if (kind !== eventKind.eventExec) return 'unknown kind';
    if (length < execEvent.bytes) return 'too short for an exec';
    if (u32(offset + execEvent.headSeq) + u32(offset + execEvent.headSeq + 4) === 0)
      return 'no number';
    const cause = u32(offset + execEvent.causeKind);
    if (cause < causeKind.causeRecord || cause > causeKind.causeUntracked) return 'unknown cause';
    if (cause === causeKind.causeRecord && u32(offset + execEvent.causeCpu) >= cpuCount)
      return 'cause on no such CPU';
    for (const blob of EXEC_BLOBS) {
      const wrong = blobFault(offset, length, blob, execEvent.bytes);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  function blobFault(offset: number, length: number, blob: number, head: number) {
    const at = halves[(offset + blob) >> 1] ?? 0;
    const size = halves[(offset + blob + 2) >> 1] ?? 0;
    return size > 0 && (at < head || at + size > length) ? 'data outside the event' : undefined;
  }

  function unreadable(offset: number, length: number, why: string): KernelEvent {
    const sound =
      length >= cgroupEvent.bytes && offset % 8 === 0 && offset + length <= buffer.length;
    const isExec = sound && halves[(offset + execEvent.headKind) >> 1] === eventKind.eventExec;
    const cpu = isExec ? u32(offset + execEvent.headCpu) : cpuCount;
    if (cpu >= cpuCount) return { kind: 'unreadable', why };
    return { kind: 'unreadable', why, cpu, seq: u64(offset + execEvent.headSeq) };
  }

  function exec(offset: number): ExecEvent {
    const flags = u32(offset + execEvent.flags);
    const executable = executableOf(offset, flags);
    const has = (flag: number) => (flags & flag) !== 0;
    const cwdUnreachable = has(execFlags.execCwdUnreachable);
    const workingDirectory = reachable(text(offset, execEvent.cwd), cwdUnreachable);
    const given = text(offset, execEvent.object);
    const object = has(execFlags.execFdPath | execFlags.execFdClosed)
      ? locate(given, describe(offset, flags), executable.path)
      : absolutePath(given, workingDirectory);
    return {
      kind: 'exec',
      cpu: u32(offset + execEvent.headCpu),
      seq: u64(offset + execEvent.headSeq),
      bootTime: time(offset + execEvent.headBootTime),
      cause: causeOf(offset),
      pid: u32(offset + execEvent.tgid),
      ppid: u32(offset + execEvent.ppid),
      vpid: u32(offset + execEvent.vpid),
      startTime: time(offset + execEvent.startTime),
      comm: comm(offset),
      context: contextOf(offset),
      object,
      objectTruncated: objectTruncated(given, flags),
      objectResolved: has(execFlags.execFdClosed),
      workingDirectory,
      workingDirectoryTruncated: has(execFlags.execCwdTruncated),
      executable,
      args: args(offset),
      argsCount: u32(offset + execEvent.argsCount),
      argsSize: u32(offset + execEvent.argsSize),
      argsTruncated: has(execFlags.execArgsTruncated),
      interactive: has(execFlags.execInteractive),
    };
  }

  function describe(offset: number, flags: number): string | undefined {
    if ((flags & execFlags.execFdPath) === 0) return undefined;
    const unreachable = (flags & execFlags.execFdUnreachable) !== 0;
    return reachable(text(offset, execEvent.descriptor), unreachable);
  }

  function objectTruncated(given: string, flags: number): boolean {
    if ((flags & execFlags.execObjectTruncated) !== 0) return true;
    if ((flags & execFlags.execFdClosed) !== 0) return (flags & execFlags.execPathTruncated) !== 0;
    if ((flags & execFlags.execFdPath) !== 0) return (flags & execFlags.execFdTruncated) !== 0;
    return !given.startsWith('/') && (flags & execFlags.execCwdTruncated) !== 0;
  }

  function causeOf(offset: number): Cause {
    const kind = u32(offset + execEvent.causeKind);
    const bootTimeOf = () => time(offset + execEvent.causeBootTime);
    const pid = u32(offset + execEvent.causeTgid);
    if (kind === causeKind.causeUntracked) return { kind: 'untracked' };
    if (kind === causeKind.causeAncestor) return { kind: 'ancestor', pid, startTime: bootTimeOf() };
    const cpu = u32(offset + execEvent.causeCpu);
    return {
      kind: 'record',
      bootTime: bootTimeOf(),
      pid,
      cpu,
      seq: u64(offset + execEvent.causeSeq),
    };
  }

  function comm(offset: number): string {
    const at = offset + execEvent.comm;
    const nul = buffer.indexOf(0, at);
    return textOf(buffer, at, nul < 0 || nul > at + 15 ? at + 15 : nul);
  }

  function args(offset: number): string[] {
    const from = start(offset, execEvent.args);
    const to = end(offset, execEvent.args);
    if (from === to) return [];
    const complete = buffer[to - 1] === 0;
    return textOf(buffer, from, complete ? to - 1 : to).split('\0');
  }

  function contextOf(offset: number): ExecContext {
    const at = offset + execEvent.context;
    const key = buffer.toString('latin1', at, offset + execEvent.object);
    return remember(contexts, key, () => readContext(offset));
  }

  function readContext(offset: number): ExecContext {
    const field = (at: number) => u32(offset + at);
    const loginUid = field(execEvent.contextLoginUid);
    const tty = buffer.toString('latin1', offset + execEvent.contextTty, offset + execEvent.object);
    const name = tty.slice(0, tty.indexOf('\0'));
    return {
      uid: field(execEvent.contextUid),
      gid: field(execEvent.contextGid),
      euid: field(execEvent.contextEuid),
      egid: field(execEvent.contextEgid),
      suid: field(execEvent.contextSuid),
      loginUid: loginUid === NO_LOGIN_UID ? undefined : loginUid,
      sessionId: field(execEvent.contextSessionId),
      tty: name === '' ? undefined : name.replace(/^pts(\d+)$/, 'pts/$1'),
      capabilities: big(offset + execEvent.contextCapabilities)
        .toString(16)
        .padStart(16, '0'),
      namespaces: {
        pid: field(execEvent.contextPidNs),
        mnt: field(execEvent.contextMntNs),
        net: field(execEvent.contextNetNs),
        user: field(execEvent.contextUserNs),
        cgroup: field(execEvent.contextCgroupNs),
      },
      cgroup: cgroupIds(offset),
    };
  }

  function cgroupIds(offset: number): CgroupIds {
    return {
      v2: big(offset + execEvent.contextCgroupV2),
      memory: big(offset + execEvent.contextCgroupMemory),
      pids: big(offset + execEvent.contextCgroupPids),
      memoryHierarchy: u32(offset + execEvent.contextCgroupMemoryHierarchy),
      pidsHierarchy: u32(offset + execEvent.contextCgroupPidsHierarchy),
    };
  }

  function executableOf(offset: number, flags: number): Executable {
    const at = offset + execEvent.executable;
    const path = buffer.toString(
      'latin1',
      start(offset, execEvent.path),
      end(offset, execEvent.path),
    );
    const key = `${flags & EXECUTABLE_FLAGS}:${buffer.toString('latin1', at, at + 20)}${path}`;
    return remember(executables, key, () => readExecutable(offset, flags));
  }

  function readExecutable(offset: number, flags: number): Executable {
    const mode = u32(offset + execEvent.executableMode);
    const major = u32(offset + execEvent.executableDeviceMajor);
    const unreachable = (flags & execFlags.execPathUnreachable) !== 0;
    return {
      path: reachable(text(offset, execEvent.path), unreachable),
      pathTruncated: (flags & execFlags.execPathTruncated) !== 0,
      inode: big(offset + execEvent.executableInode).toString(),
      device: `${major}:${u32(offset + execEvent.executableDeviceMinor)}`,
      mode: (mode & 0o7777).toString(8).padStart(4, '0'),
      memfd: (flags & execFlags.execMemfd) !== 0,
      upperLayer: (flags & execFlags.execUpperLayer) !== 0,
      setuid: (mode & S_ISUID) !== 0,
      unlinked: (flags & execFlags.execUnlinked) !== 0,
    };
  }

  return { decode };
}

const EXEC_BLOBS = [
  execEvent.object,
  execEvent.path,
  execEvent.cwd,
  execEvent.args,
  execEvent.descriptor,
];

const EXECUTABLE_FLAGS =
  execFlags.execPathTruncated |
  execFlags.execPathUnreachable |
  execFlags.execMemfd |
  execFlags.execUpperLayer |
  execFlags.execUnlinked;

function remember<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const known = cache.get(key);
  if (known !== undefined) return known;
  if (cache.size >= CACHE_ENTRIES) cache.clear();
  const made = make();
  cache.set(key, made);
  return made;
}

/** Nanoseconds as two 32-bit halves to seconds and nanoseconds, exact also beyond 2^53. */
export function bootTime(low: number, high: number): BootTime {
  let seconds = Math.floor((high * 0x100000000 + low) / 1e9);
  // The quotient may be off by one; the remainder, taken modulo 2^32, tells.
  let nanos = (low - Math.imul(seconds, 1_000_000_000)) >>> 0;
  if (nanos >= 0x80000000) {
    seconds -= 1;
    nanos = (nanos + 1_000_000_000) >>> 0;
  } else if (nanos >= 1_000_000_000) {
    seconds += 1;
    nanos -= 1_000_000_000;
  }
  return { seconds, nanos };
}

/** What the kernel counted on one CPU; numbers of execs. */
export interface CpuState {
  /** last number given */
  readonly seq: number;
  /** highest number whose event found no room */
  readonly lostSeq: number;
  /** the last run of numbers passed over for want of a reader; 0, 0: none */
  readonly quietFirst: number;
  readonly quietLast: number;
  /** last number that a reader had put into a journal */
  readonly readSeq: number;
}

/** The counters of every CPU, from what Hook.cpuStates() gives. */
export function readCpuStates(bytes: Buffer): CpuState[] {
  const number = (at: number) => Number(bytes.readBigUInt64LE(at));
  return Array.from({ length: bytes.length / cpuState.bytes }, (_, cpu) => {
    const at = cpu * cpuState.bytes;
    return {
      seq: number(at + cpuState.seq),
      lostSeq: number(at + cpuState.lostSeq),
      quietFirst: number(at + cpuState.quietFirst),
      quietLast: number(at + cpuState.quietLast),
      readSeq: number(at + cpuState.readSeq),
    };
  });
}
