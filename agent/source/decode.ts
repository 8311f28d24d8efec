import { textOf } from '../../record/kernel-text.ts';
import type {
  Cause,
  ExecContext,
  ExecEvent,
  KernelEvent,
  ObservedPlace,
} from '../../record/types.ts';
import { createCapabilitiesReader } from './capabilities.ts';
import { cgroupMakerOf } from './cgroup-maker.ts';
import {
  createEnvironmentReader,
  environmentFault,
  lengthBeforeEnvironment,
} from './environment.ts';
import { createEventView } from './event-view.ts';
import { createInvocationReader, type Redact } from './invocation.ts';
import { createInvocationCache } from './invocation-cache.ts';
import { causeKind, cgroupEvent, eventKind, execEvent } from './layout.ts';
import type { RecordEnvironment } from './recorded-environment.ts';
import { RemovedCgroups } from './removed-cgroups.ts';

const EVENT_VERSION = 1;
const OTHER_VERSION = 'unknown version';
/** The upper 32 bits of 2^53, above which a double is not exact. */
const EXACT_HIGH = 2 ** 21;
/** the size of `struct cgroup_ids` */
const CGROUP_IDS_BYTES = 32;

/**
 * Reads events from one buffer that is reused; offsets are multiples of 8. Pure, except for caches.
 */
export interface Decoder {
  decode(offset: number, length: number): KernelEvent;
}

/**
 * Makes a decoder for events in `buffer`. An event of a CPU beyond cpuCount is damaged. Without
 * `redact`, arguments are not recorded. `variables` are the names of the variables that are kept of
 * an environment, and `recordEnvironment` says what records say of it.
 */
export function createDecoder(
  buffer: Buffer,
  cpuCount: number,
  redact: Redact | undefined,
  variables: readonly string[] = [],
  recordEnvironment?: RecordEnvironment,
): Decoder {
  const view = createEventView(buffer);
  const { u16, u32, u64, big, time } = view;
  const capabilities = createCapabilitiesReader(view);
  const reader = createInvocationReader(view, capabilities, redact);
  const invocations = createInvocationCache(view, reader.invocation);
  const environmentOf = createEnvironmentReader(view, variables);
  const removed = new RemovedCgroups();
  /** By CPU: the number of the next event of a cgroup, once there was one. */
  const nextCgroup = new Map<number, number>();

  function decode(offset: number, length: number): KernelEvent {
    const why = fault(offset, length);
    if (why !== undefined) return unreadable(offset, length, why);
    switch (u16(offset + execEvent.headKind)) {
      case eventKind.eventExec:
        return exec(offset, length);
      case eventKind.eventCgroupMkdir: {
        const { start, end } = view;
        const path = textOf(buffer, start(offset, cgroupEvent.path), end(offset, cgroupEvent.path));
        const maker = cgroupMakerOf(u32(offset + cgroupEvent.headMaker));
        return { kind: 'cgroup_mkdir', ...cgroup(offset), path, maker };
      }
      default: {
        const event = { kind: 'cgroup_rmdir', ...cgroup(offset) } as const;
        if (removed.note(event)) forgetRemoved();
        return event;
      }
    }
  }

  function forgetRemoved(): void {
    const isOver = ({ cgroup }: ExecContext) => removed.has(cgroup);
    invocations.forget(isOver);
    reader.forget(isOver);
    removed.clear();
  }

  function cgroup(offset: number) {
    const cpu = u32(offset + execEvent.headCpu);
    const seq = u64(offset + execEvent.headSeq);
    const expected = nextCgroup.get(cpu) ?? seq;
    nextCgroup.set(cpu, seq + 1);
    const named = {
      id: big(offset + cgroupEvent.id),
      hierarchy: u32(offset + cgroupEvent.hierarchy),
    };
    return seq > expected ? ({ ...named, isAfterLoss: true } as const) : named;
  }

  /** Says what is wrong with the structure of an event; undefined: nothing. */
  function fault(offset: number, length: number): string | undefined {
    if (offset % 8 !== 0 || offset < 0 || offset + length > buffer.length)
      return 'outside the buffer';
    if (length < cgroupEvent.bytes) return 'too short for an event';
    if (u32(offset) !== length) return 'size does not match';
    if (u16(offset + execEvent.headVersion) !== EVENT_VERSION) return OTHER_VERSION;
    if (u32(offset + execEvent.headCpu) >= cpuCount) return 'no such CPU';
    const kind = u16(offset + execEvent.headKind);
    if (kind === eventKind.eventCgroupMkdir || kind === eventKind.eventCgroupRmdir)
      return blobFault(offset, length, cgroupEvent.path, cgroupEvent.bytes);
    if (kind !== eventKind.eventExec) return 'unknown kind';
    if (length < execEvent.bytes) return 'too short for an exec';
    if (u32(offset + execEvent.headSeq) + u32(offset + execEvent.headSeq + 4) === 0)
      return 'no number';
    if (u32(offset + execEvent.headSeq + 4) >= EXACT_HIGH) return 'number too large';
    if (u32(offset + execEvent.headBootTime + 4) >= 2 ** 31) return 'time too large';
    const cause = u32(offset + execEvent.causeKind);
    if (cause < causeKind.causeRecord || cause > causeKind.causeUntracked) return 'unknown cause';
    if (cause === causeKind.causeRecord && u32(offset + execEvent.causeCpu) >= cpuCount)
      return 'cause on no such CPU';
    if (cause === causeKind.causeRecord && u32(offset + execEvent.causeSeq + 4) >= EXACT_HIGH)
      return 'number of the cause too large';
    const before = lengthBeforeEnvironment(view, offset, length);
    for (const blob of EXEC_BLOBS) {
      const wrong = blobFault(offset, before, blob, execEvent.bytes);
      if (wrong !== undefined) return wrong;
    }
    return capabilities.fault(offset, before) ?? environmentFault(view, offset, length);
  }

  function blobFault(offset: number, length: number, blob: number, head: number) {
    const at = u16(offset + blob);
    const size = u16(offset + blob + 2);
    return size > 0 && (at < head || at + size > length) ? 'data outside the event' : undefined;
  }

  function unreadable(offset: number, length: number, why: string): KernelEvent {
    const sound =
      length >= cgroupEvent.bytes && offset % 8 === 0 && offset + length <= buffer.length;
    const kind = sound ? u16(offset + execEvent.headKind) : 0;
    if (kind === eventKind.eventCgroupMkdir || kind === eventKind.eventCgroupRmdir)
      return { kind: 'unreadable_cgroup', why };
    const stage = why === OTHER_VERSION ? 'upgrade' : 'decode';
    const cpu = kind === eventKind.eventExec ? u32(offset + execEvent.headCpu) : cpuCount;
    if (cpu >= cpuCount) return { kind: 'unreadable', why, stage };
    return { kind: 'unreadable', why, stage, cpu, seq: u64(offset + execEvent.headSeq) };
  }

  function exec(offset: number, length: number): ExecEvent {
    const before = lengthBeforeEnvironment(view, offset, length);
    const event: ExecEvent = {
      kind: 'exec',
      cpu: u32(offset + execEvent.headCpu),
      seq: u64(offset + execEvent.headSeq),
      bootTime: time(offset + execEvent.headBootTime),
      cause: causeOf(offset),
      pid: u32(offset + execEvent.tgid),
      ppid: u32(offset + execEvent.ppid),
      vpid: u32(offset + execEvent.vpid),
      startTime: time(offset + execEvent.startTime),
      invocation: invocations.invocation(offset, before),
    };
    const environment = environmentOf(offset);
    const recordedEnvironment = recordEnvironment?.(environment);
    if (environment === undefined && recordedEnvironment === undefined) return event;
    return {
      ...event,
      ...(environment && { environment }),
      ...(recordedEnvironment && { recordedEnvironment }),
    };
  }

  function causeOf(offset: number): Cause {
    const kind = u32(offset + execEvent.causeKind);
    if (kind === causeKind.causeUntracked) return { kind: 'untracked' };
    const pid = u32(offset + execEvent.causeTgid);
    const bootTime = time(offset + execEvent.causeBootTime);
    // Most causes ran at the place of the exec; spreading an empty object would cost them more than the
    // rest of this function.
    const isElsewhere = !isAtItsCause(offset);
    if (kind === causeKind.causeAncestor) {
      const ancestor = { kind: 'ancestor', pid, startTime: bootTime } as const;
      if (!isElsewhere || !hasPlace(offset)) return ancestor;
      return { ...ancestor, elsewhere: placeOfCause(offset) };
    }
    const cpu = u32(offset + execEvent.causeCpu);
    const seq = u64(offset + execEvent.causeSeq);
    const record = { kind: 'record', bootTime, pid, cpu, seq } as const;
    return isElsewhere ? { ...record, elsewhere: placeOfCause(offset) } : record;
  }

  /** Whether the event has its cause's place; the kernel side of 0.1.0 has none for ancestors. */
  function hasPlace(offset: number): boolean {
    return u32(offset + execEvent.causeMntNs) !== 0;
  }

  /** Whether an exec has the same cgroups and mount namespace as its cause. */
  function isAtItsCause(offset: number): boolean {
    for (let at = 0; at < CGROUP_IDS_BYTES; at += 4)
      if (u32(offset + execEvent.causeCgroup + at) !== u32(offset + execEvent.contextCgroup + at))
        return false;
    return u32(offset + execEvent.causeMntNs) === u32(offset + execEvent.contextMntNs);
  }

  function placeOfCause(offset: number): ObservedPlace {
    return {
      cgroup: {
        v2: big(offset + execEvent.causeCgroupV2),
        memory: big(offset + execEvent.causeCgroupMemory),
        pids: big(offset + execEvent.causeCgroupPids),
        memoryHierarchy: u32(offset + execEvent.causeCgroupMemoryHierarchy),
        pidsHierarchy: u32(offset + execEvent.causeCgroupPidsHierarchy),
      },
      mountNamespace: u32(offset + execEvent.causeMntNs),
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
