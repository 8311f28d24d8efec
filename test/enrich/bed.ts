import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupName } from '../../agent/enrich/cgroups/cgroup-tree.ts';
import type { ContainerMemory } from '../../agent/enrich/container-memory.ts';
import { Enricher } from '../../agent/enrich/enricher.ts';
import type { Pod } from '../../agent/enrich/pods/pod.ts';
import type { SourceState } from '../../agent/enrich/pods/pod-source.ts';
import type { ContainerState } from '../../agent/enrich/runtimes/runtime.ts';
import type {
  CgroupIds,
  CgroupMaker,
  Environment,
  ExecContext,
  ExecEvent,
  Invocation,
} from '../../record/types.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A memory that ends with the process. */
export const NO_MEMORY: ContainerMemory = {
  recall: () => undefined,
  keep: () => {},
  saving: undefined,
};

export const HOST_MNT = 4026531841;

/** A container's id: 64 hex digits. */
export function idOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

/** Where a process is. */
export interface Spot {
  readonly cgroup: bigint;
  readonly mnt: number;
  readonly memory?: bigint;
  readonly pids?: bigint;
}

export interface BedOptions {
  readonly waitMs?: number;
  readonly runtimeOnly?: boolean;
  readonly state?: SourceState;
  readonly started?: readonly string[];
  readonly startedIsWhole?: boolean;
  readonly memory?: ContainerMemory;
  /** with the controllers in hierarchies of their own: memory 4, pids 8 */
  readonly v1?: boolean;
  /** See procWith(); without it, there are no cgroups but those that the test makes. */
  readonly proc?: string;
}

const UNIFIED = procWith('0::/\n');
const V1 = procWith('8:pids:/\n4:memory:/\n0::/\n');

/** An enricher on a machine with only the cgroups that a test makes. */
export function bedOf(options: BedOptions = {}) {
  const {
    waitMs = 0,
    runtimeOnly = false,
    state = 'following',
    started = [],
    startedIsWhole = true,
    memory = NO_MEMORY,
    v1 = false,
    proc = v1 ? V1 : UNIFIED,
  } = options;
  const states = new Map<string, ContainerState>();
  const reading = new Map<string, Promise<void>>();
  const pods = new Map<string, Pod>();
  const names = new Map<string, CgroupName>();
  const enricher = new Enricher({
    host: { 'host.name': 'node-1', 'service.name': 'of-the-host' },
    waitMs,
    proc,
    hostMountNamespace: HOST_MNT,
    runtimeOnly,
    execRequestVariables: ['REQUEST_ID', 'OTHER_ID'],
    started,
    startedIsWhole,
    readState: (id) => states.get(id),
    reading: (id) => reading.get(id),
    memory,
    cgroupName: (hierarchy, id) => names.get(`${hierarchy}:${id}`),
  });
  // Without cgroups to scan, it is over at once.
  const starting = enricher.start({
    candidates: (uid) => (pods.has(uid) ? [pods.get(uid) as Pod] : []),
    state,
    pausedMs: 0,
    close: () => {},
  });
  const contexts = new Map<string, Invocation>();
  const eventOf = (at: Spot, from: Spot | undefined, seconds: number, seq = 2): ExecEvent => ({
    kind: 'exec',
    cpu: 0,
    seq,
    pid: 1,
    ppid: 1,
    vpid: 1,
    bootTime: timeOf(seconds),
    startTime: timeOf(seconds),
    cause: causeOf(at, from),
    // Equal contexts are one object, as the decoder makes them.
    invocation: remember(contexts, at),
  });
  return {
    enricher,
    starting,
    states,
    reading,
    pods,
    names,
    mkdir: (id: bigint, path: string, hierarchy = 0, maker: CgroupMaker = 'privileged') =>
      enricher.note({ kind: 'cgroup_mkdir', id, hierarchy, path, maker }),
    rmdir: (id: bigint, hierarchy = 0) => enricher.note({ kind: 'cgroup_rmdir', id, hierarchy }),
    /** undefined: the cause is unknown */
    place: (at: Spot, from: Spot | undefined, vpid = 1) =>
      enricher.place({ ...eventOf(at, from, 10), vpid }),
    /** The same for an exec with a number, caused by the exec with another one. */
    placeOf(seq: number, at: Spot, from: Spot, causeSeq: number) {
      const event = eventOf(at, from, 10, seq);
      const cause = { ...event.cause, seq: causeSeq } as ExecEvent['cause'];
      return enricher.place({ ...event, cause });
    },
    /** The same for a cause that predates the hook; undefined: its place was not read. */
    placeOfForked: (at: Spot, from: Spot | undefined) =>
      enricher.place({ ...eventOf(at, undefined, 10), cause: ancestorOf(at, from) }),
    /** The same for an exec with an invocation and an environment. */
    placeWith(at: Spot, from: Spot | undefined, { loginUid, environment, ...given }: With) {
      const event = eventOf(at, from, 10);
      const context = { ...event.invocation.context, loginUid };
      const invocation = { ...event.invocation, ...INVOCATION, ...given, context };
      return enricher.place({ ...event, invocation, ...(environment && { environment }) });
    },
    readingOf: (at: Spot, environment?: Environment, from?: Spot) =>
      enricher.reading({ ...eventOf(at, from, 10), ...(environment && { environment }) }),
    wait: (at: Spot, seconds: number, now: number) =>
      Math.round(enricher.wait(eventOf(at, undefined, seconds), timeOf(now))),
  };
}

/** What an exec has beside its place. */
export interface With extends Partial<Omit<Invocation, 'context'>> {
  readonly loginUid?: ExecContext['loginUid'];
  readonly environment?: Environment;
}

const INVOCATION: Partial<Invocation> = {
  object: '/bin/sh',
  executable: { path: '/usr/bin/dash' } as Invocation['executable'],
  args: ['sh'],
  argsTruncated: false,
  argsRedacted: 0,
};

/** An environment with these variables, as far as they were searched. */
export function environmentOf(
  variables: readonly (readonly [name: string, value: string])[],
  isCut = false,
): Environment {
  return { variables: variables.map(([name, value]) => ({ name, value })), isCut };
}

/** A /proc with these mounts of cgroup hierarchies. */
export function procWith(cgroups: string, mounts = ''): string {
  const proc = temporaryFolder();
  mkdirSync(join(proc, 'self'));
  writeFileSync(join(proc, 'self/cgroup'), cgroups);
  writeFileSync(join(proc, 'self/mountinfo'), mounts);
  return proc;
}

function timeOf(seconds: number) {
  const whole = Math.floor(seconds);
  return { seconds: whole, nanos: Math.round((seconds - whole) * 1e9) };
}

function causeOf(at: Spot, from: Spot | undefined): ExecEvent['cause'] {
  if (from === undefined) return { kind: 'untracked' };
  const record = { kind: 'record', bootTime: timeOf(1), pid: 2, cpu: 0, seq: 1 } as const;
  if (keyOf(at) === keyOf(from)) return record;
  return { ...record, elsewhere: { cgroup: idsOf(from), mountNamespace: from.mnt } };
}

function ancestorOf(at: Spot, from: Spot | undefined): ExecEvent['cause'] {
  const ancestor = { kind: 'ancestor', pid: 2, startTime: timeOf(1) } as const;
  if (from === undefined || keyOf(at) === keyOf(from)) return ancestor;
  return { ...ancestor, elsewhere: { cgroup: idsOf(from), mountNamespace: from.mnt } };
}

function remember(contexts: Map<string, Invocation>, spot: Spot): Invocation {
  const known = contexts.get(keyOf(spot));
  if (known !== undefined) return known;
  const invocation = {
    context: { cgroup: idsOf(spot), namespaces: { mnt: spot.mnt } },
  } as Invocation;
  contexts.set(keyOf(spot), invocation);
  return invocation;
}

function idsOf({ cgroup, memory, pids }: Spot): CgroupIds {
  return {
    v2: cgroup,
    memory: memory ?? 0n,
    pids: pids ?? 0n,
    memoryHierarchy: memory === undefined ? 0 : 4,
    pidsHierarchy: pids === undefined ? 0 : 8,
  };
}

function keyOf(spot: Spot): string {
  return `${spot.cgroup} ${spot.memory} ${spot.pids} ${spot.mnt}`;
}
