import {
  causeKind,
  cgroupEvent,
  eventKind,
  execCapabilities,
  execEnvironment,
  execEvent,
  execFlags,
} from '../../agent/source/layout.ts';

const VERSION = 1;

/** An exec event as the kernel side writes it; fields that are not given are zero or empty. */
export interface CraftedExec {
  readonly cpu?: number;
  readonly seq?: bigint;
  readonly bootTime?: bigint;
  readonly startTime?: bigint;
  readonly pid?: number;
  readonly ppid?: number;
  readonly vpid?: number;
  readonly flags?: number;
  readonly comm?: string;
  readonly cause?: {
    readonly kind: number;
    readonly bootTime?: bigint;
    readonly pid?: number;
    readonly cpu?: number;
    readonly seq?: bigint;
  };
  /** other fields of 32 and 64 bits, by their offsets */
  readonly u32?: readonly (readonly [offset: number, value: number])[];
  readonly u64?: readonly (readonly [offset: number, value: bigint])[];
  readonly tty?: string;
  readonly object?: Buffer | string;
  readonly path?: Buffer | string;
  readonly cwd?: Buffer | string;
  readonly args?: Buffer | string;
  readonly argsCount?: number;
  readonly argsSize?: number;
  readonly descriptor?: Buffer | string;
  readonly capabilities?: CraftedCapabilities;
  readonly environment?: CraftedEnvironment;
}

/** The sets of capabilities beside the effective one; those that are not given are empty. */
export interface CraftedCapabilities {
  readonly permitted?: bigint;
  readonly inheritable?: bigint;
  /** not given: as expected */
  readonly bounding?: bigint;
  readonly ambient?: bigint;
}

/** An environment in an event. */
export interface CraftedEnvironment {
  /** the first bytes and the last ones, as far as they are there */
  readonly first: Buffer | string;
  readonly last?: Buffer | string;
  /** the bytes that there were; all of these if it is not given */
  readonly size?: number;
}

/** The bytes of a `struct exec_event`. */
export function craftExec(exec: CraftedExec): Buffer {
  const head = Buffer.alloc(execEvent.bytes);
  const cause = exec.cause ?? { kind: causeKind.causeUntracked };
  writeHead(head, eventKind.eventExec, exec);
  for (const [offset, value] of [
    [execEvent.tgid, exec.pid ?? 1],
    [execEvent.ppid, exec.ppid ?? 0],
    [execEvent.vpid, exec.vpid ?? 1],
    [execEvent.flags, exec.flags ?? 0],
    [execEvent.argsCount, exec.argsCount ?? 0],
    [execEvent.argsSize, exec.argsSize ?? 0],
    [execEvent.causeKind, cause.kind],
    [execEvent.causeTgid, cause.pid ?? 0],
    [execEvent.causeCpu, cause.cpu ?? 0],
    ...(exec.u32 ?? []),
  ] as const)
    head.writeUInt32LE(value, offset);
  for (const [offset, value] of [
    [execEvent.startTime, exec.startTime ?? 0n],
    [execEvent.causeBootTime, cause.bootTime ?? 0n],
    [execEvent.causeSeq, cause.seq ?? 0n],
    ...(exec.u64 ?? []),
  ] as const)
    head.writeBigUInt64LE(value, offset);
  head.write(exec.comm ?? '', execEvent.comm, 'latin1');
  head.write(exec.tty ?? '', execEvent.contextTty, 'latin1');
  const command = withBlobs(head, [
    [execEvent.object, exec.object],
    [execEvent.path, exec.path],
    [execEvent.cwd, exec.cwd],
    [execEvent.descriptor, exec.descriptor],
    [execEvent.args, exec.args],
  ]);
  const event =
    exec.capabilities === undefined ? command : withCapabilities(command, exec.capabilities);
  return exec.environment === undefined ? event : withEnvironment(event, exec.environment);
}

function withCapabilities(event: Buffer, sets: CraftedCapabilities): Buffer<ArrayBuffer> {
  const at = Math.ceil(event.length / 8) * 8;
  const longer = Buffer.alloc(at + execCapabilities.bytes);
  event.copy(longer);
  const bounded = sets.bounding === undefined ? 0 : execFlags.execBounded;
  const flags = longer.readUInt32LE(execEvent.flags) | execFlags.execCapabilities | bounded;
  longer.writeUInt32LE(flags, execEvent.flags);
  longer.writeUInt32LE(longer.length, execEvent.headSize);
  for (const name of ['permitted', 'inheritable', 'bounding', 'ambient'] as const)
    longer.writeBigUInt64LE(sets[name] ?? 0n, at + execCapabilities[name]);
  return longer;
}

function withEnvironment(
  event: Buffer,
  { first, last = '', size }: CraftedEnvironment,
): Buffer<ArrayBuffer> {
  const data = [Buffer.from(first), Buffer.from(last)];
  const bytes = data.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(execEnvironment.bytes);
  head.writeUInt32LE(size ?? bytes, execEnvironment.size);
  head.writeUInt32LE(data[0]?.length ?? 0, execEnvironment.first);
  const offset = Math.ceil(event.length / 4) * 4;
  const padded = Buffer.alloc(offset);
  event.copy(padded);
  padded.writeUInt16LE(offset, execEvent.environmentOffset);
  padded.writeUInt16LE(head.length + bytes, execEvent.environmentLength);
  padded.writeUInt32LE(offset + head.length + bytes, execEvent.headSize);
  return Buffer.concat([padded, head, ...data]);
}

/** The bytes of a `struct cgroup_event`; without a path, of a removal. */
export function craftCgroup(cgroup: {
  readonly cpu?: number;
  readonly seq?: bigint;
  readonly id: bigint;
  readonly hierarchy: number;
  readonly path?: string;
}): Buffer {
  const head = Buffer.alloc(cgroupEvent.bytes);
  const made = cgroup.path !== undefined;
  writeHead(head, made ? eventKind.eventCgroupMkdir : eventKind.eventCgroupRmdir, cgroup);
  head.writeBigUInt64LE(cgroup.id, cgroupEvent.id);
  head.writeUInt32LE(cgroup.hierarchy, cgroupEvent.hierarchy);
  return withBlobs(head, [[cgroupEvent.path, cgroup.path]]);
}

/** A buffer for the decoder with one event at its beginning. */
export function bufferWith(event: Buffer): Buffer {
  const buffer = Buffer.alloc(64 * 1024 + event.length);
  event.copy(buffer);
  return buffer;
}

function writeHead(
  head: Buffer,
  kind: number,
  { cpu = 0, seq = 1n, bootTime = 0n }: Pick<CraftedExec, 'cpu' | 'seq' | 'bootTime'>,
): void {
  head.writeUInt16LE(kind, execEvent.headKind);
  head.writeUInt16LE(VERSION, execEvent.headVersion);
  head.writeBigUInt64LE(seq, execEvent.headSeq);
  head.writeBigUInt64LE(bootTime, execEvent.headBootTime);
  head.writeUInt32LE(cpu, execEvent.headCpu);
}

function withBlobs(
  head: Buffer,
  blobs: readonly (readonly [at: number, data: Buffer | string | undefined])[],
): Buffer {
  const parts = [head];
  let length = head.length;
  for (const [at, data] of blobs) {
    const bytes = Buffer.from(data ?? '');
    head.writeUInt16LE(length, at);
    head.writeUInt16LE(bytes.length, at + 2);
    parts.push(bytes);
    length += bytes.length;
  }
  head.writeUInt32LE(length, execEvent.headSize);
  return Buffer.concat(parts);
}
