import { textOf } from '../../record/kernel-text.ts';
import type { CgroupIds, ExecContext, Executable, Invocation } from '../../record/types.ts';
import { type CapabilitiesReader, capabilitiesText } from './capabilities.ts';
import type { EventView } from './event-view.ts';
import { execCapabilities, execEvent, execFlags } from './layout.ts';
import { absolutePath, locate, reachable } from './paths.ts';

const NO_LOGIN_UID = 0xffffffff;
const SLASH = 0x2f;
const S_ISUID = 0o4000;
const CACHE_ENTRIES = 2048;
/** Longer paths are read each time: as a record and as JSON they take up to ten times their bytes. */
const KEPT_PATH_BYTES = 256;

/** Returns the arguments as they are recorded, and the number of secrets that were replaced. */
export type Redact = (
  args: readonly string[],
  executable: string,
) => {
  readonly args: readonly string[];
  readonly redacted: number;
};

/** Reads the invocation in an exec event. */
export interface InvocationReader {
  invocation(offset: number): Omit<Invocation, 'recurring'>;
  /** Forgets the contexts that are over. */
  forget(isOver: (context: ExecContext) => boolean): void;
}

/** Makes a reader of invocations; it reads recurring parts once. */
export function createInvocationReader(
  { buffer, u32, big, start, end }: EventView,
  capabilities: CapabilitiesReader,
  redact: Redact | undefined,
): InvocationReader {
  const contexts = new Map<string, ExecContext>();
  const executables = new Map<string, Executable>();
  const text = (offset: number, blob: number) =>
    textOf(buffer, start(offset, blob), end(offset, blob));
  /** The front of a path is missing if it is cut; what is left begins with a whole name. */
  const path = (offset: number, blob: number, isCut: boolean) => {
    const [from, to] = [start(offset, blob), end(offset, blob)];
    const slash = isCut ? buffer.indexOf(SLASH, from) : from;
    return textOf(buffer, slash >= from && slash < to ? slash : from, to);
  };

  function invocation(offset: number): Omit<Invocation, 'recurring'> {
    const flags = u32(offset + execEvent.flags);
    const executable = executableOf(offset, flags);
    const has = (flag: number) => (flags & flag) !== 0;
    const cwdUnreachable = has(execFlags.execCwdUnreachable);
    const isCwdCut = has(execFlags.execCwdTruncated);
    const cwd = path(offset, execEvent.cwd, isCwdCut);
    const workingDirectory = reachable(cwd, cwdUnreachable);
    const given = text(offset, execEvent.object);
    const object = has(execFlags.execFdPath | execFlags.execFdClosed)
      ? locate(given, describe(offset, flags), executable.path)
      : absolutePath(given, workingDirectory, isCwdCut);
    const recorded = redact?.(args(offset), executable.path);
    return {
      comm: comm(offset),
      context: contextOf(offset, flags),
      object,
      objectTruncated: objectTruncated(given, flags),
      objectResolved: has(execFlags.execFdClosed),
      workingDirectory,
      workingDirectoryTruncated: isCwdCut,
      executable,
      args: recorded?.args,
      argsRedacted: recorded?.redacted ?? 0,
      argsCount: u32(offset + execEvent.argsCount),
      argsSize: u32(offset + execEvent.argsSize),
      argsTruncated: recorded !== undefined && has(execFlags.execArgsTruncated),
      interactive: has(execFlags.execInteractive),
      noNewPrivs: has(execFlags.execNoNewPrivs),
      seccompFilter: has(execFlags.execSeccompFilter),
      gainedSetuid: has(execFlags.execGainedSetuid),
      gainedSetgid: has(execFlags.execGainedSetgid),
    };
  }

  function describe(offset: number, flags: number) {
    if ((flags & execFlags.execFdPath) === 0) return undefined;
    const unreachable = (flags & execFlags.execFdUnreachable) !== 0;
    const isCut = (flags & execFlags.execFdTruncated) !== 0;
    return { path: reachable(path(offset, execEvent.descriptor, isCut), unreachable), isCut };
  }

  function objectTruncated(given: string, flags: number): boolean {
    if ((flags & execFlags.execObjectTruncated) !== 0) return true;
    if ((flags & execFlags.execFdClosed) !== 0) return (flags & execFlags.execPathTruncated) !== 0;
    if ((flags & execFlags.execFdPath) !== 0) return (flags & execFlags.execFdTruncated) !== 0;
    return !given.startsWith('/') && (flags & execFlags.execCwdTruncated) !== 0;
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

  function contextOf(offset: number, flags: number): ExecContext {
    const at = offset + execEvent.context;
    const own = buffer.toString('latin1', at, offset + execEvent.object);
    const sets = capabilities.at(offset);
    const key =
      sets === undefined
        ? own
        : `${flags & execFlags.execBounded}` +
          own +
          buffer.toString('latin1', sets, sets + execCapabilities.bytes);
    return remember(contexts, key, () => readContext(offset, sets));
  }

  function readContext(offset: number, sets: number | undefined): ExecContext {
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
      capabilities: capabilitiesText(big(offset + execEvent.contextCapabilities)),
      otherCapabilities: sets === undefined ? undefined : capabilities.read(offset, sets),
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
    const from = start(offset, execEvent.path);
    const to = end(offset, execEvent.path);
    if (to - from > KEPT_PATH_BYTES) return readExecutable(offset, flags);
    const bytes = buffer.toString('latin1', from, to);
    const key = `${flags & EXECUTABLE_FLAGS}:${buffer.toString('latin1', at, at + 20)}${bytes}`;
    return remember(executables, key, () => readExecutable(offset, flags));
  }

  function readExecutable(offset: number, flags: number): Executable {
    const mode = u32(offset + execEvent.executableMode);
    const major = u32(offset + execEvent.executableDeviceMajor);
    const unreachable = (flags & execFlags.execPathUnreachable) !== 0;
    const pathTruncated = (flags & execFlags.execPathTruncated) !== 0;
    return {
      path: reachable(path(offset, execEvent.path, pathTruncated), unreachable),
      pathTruncated,
      inode: big(offset + execEvent.executableInode).toString(),
      device: `${major}:${u32(offset + execEvent.executableDeviceMinor)}`,
      mode: (mode & 0o7777).toString(8).padStart(4, '0'),
      memfd: (flags & execFlags.execMemfd) !== 0,
      upperLayer: (flags & execFlags.execUpperLayer) !== 0,
      setuid: (mode & S_ISUID) !== 0,
      unlinked: (flags & execFlags.execUnlinked) !== 0,
    };
  }

  function forget(isOver: (context: ExecContext) => boolean): void {
    for (const [key, context] of contexts) if (isOver(context)) contexts.delete(key);
  }

  return { invocation, forget };
}

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
