import { CORE } from '../../../record/fields/core.ts';
import { KEYS } from '../../../record/fields.ts';
import { numbersIn } from '../../../record/numbers.ts';
import { containerOf, keyOf } from '../../enrich/cgroups/container-path.ts';
import { isWithin, readLinesSync, readSegmentSync } from '../../journal/read-sync.ts';
import { listSegments, type Position } from '../../journal/segment.ts';
import { readState, removeState } from '../../journal/state.ts';
import { Losses } from '../../lineage/losses.ts';

/** What a journal says about the hook that wrote it last: where the next run must continue. */
export interface Continuity {
  readonly bootId: string | undefined;
  readonly hookId: string | undefined;
  /** The last run ended in order and detached the hook. */
  readonly detached: boolean;
  /** The next expected number of each CPU, for that hook. */
  readonly nextSeq: number[];
  readonly losses: Losses;
  /** The number of execs that the kernel had skipped until then, as recorded. */
  readonly kernelMisses: number;
  /** The boot time at which all of its programs were last known to be attached, if one is. */
  readonly attachedAt: string | undefined;
  /** The containers whose start is recorded, by the keys that the enrichment gives them. */
  readonly started: Set<string>;
}

/** The part of state.json that the next run needs; the rest of it is for `status`. */
export interface Checkpoint {
  readonly bootId: string;
  readonly hookId: string;
  readonly detached: boolean;
  readonly attachedAt: string | undefined;
  readonly nextSeq: readonly number[];
  readonly losses: Losses;
  readonly kernelMisses: number;
  readonly started: readonly string[];
  readonly position: Position;
}

/** Text that is in the line of every exec, and in that of every container's start. */
const EXEC = `"${CORE.action.key}":"exec"`;
const START = `"${KEYS.entry}":"start"`;
const CPUS_MAX = 65_536;

/**
 * Reads the journal in `dir` from the position of its last checkpoint to the end; without a
 * checkpoint, from the beginning of the hook that wrote last. `bootId` is the kernel's. A segment
 * that cannot be read is passed to `onUnreadable` as an error, and skipped.
 */
export function readContinuity(
  dir: string,
  onUnreadable: (error: Error) => void,
  bootId: string,
): Continuity {
  const { checkpoint, beyond } = readCheckpoint(dir);
  const from = checkpoint?.position ?? beginning(dir, bootId, beyond);
  const known = {
    bootId: checkpoint?.bootId,
    hookId: checkpoint?.hookId,
    detached: checkpoint?.detached ?? false,
    nextSeq: [...(checkpoint?.nextSeq ?? [])],
    losses: checkpoint?.losses ?? new Losses(),
    kernelMisses: checkpoint?.kernelMisses ?? 0,
    attachedAt: checkpoint?.attachedAt,
    started: new Set(checkpoint?.started),
  };
  for (const { line } of readLinesSync(dir, from, onUnreadable)) follow(known, line);
  return known;
}

/**
 * Finds where to begin without a checkpoint, from the newest segment backwards: at the newest line
 * that sums up what came before it. If a system crash removed the lines before a checkpoint's
 * position (`beyond`), it is enough to begin at the segment after which each CPU of that checkpoint
 * has a number.
 */
function beginning(
  dir: string,
  bootId: string,
  beyond: Checkpoint | undefined,
): Position | undefined {
  const crashed = beyond !== undefined && beyond.bootId !== bootId ? beyond : undefined;
  const unseen = new Set(crashed?.nextSeq.flatMap((next, cpu) => (next > 1 ? [cpu] : [])));
  for (const segment of listSegments(dir).reverse()) {
    let before: Position = { segment: segment.number, offset: 0 };
    let found: Position | undefined;
    try {
      for (const { line, offset } of readSegmentSync(dir, segment, 0)) {
        if (line.includes('journal.start') && isBeginning(parse(line), bootId)) found = before;
        before = { segment: segment.number, offset };
        for (const { hookId, cpu } of crashed ? numbersIn(line) : [])
          if (hookId === crashed?.hookId) unseen.delete(cpu);
      }
    } catch {
      continue;
    }
    if (found !== undefined) return found;
    if (crashed !== undefined && unseen.size === 0) return { segment: segment.number, offset: 0 };
  }
  return undefined;
}

/**
 * Whether a line sums up what came before it: a journal.start has the number of every CPU, and a
 * new hook has no losses yet. Losses of another boot no longer matter, as its processes have no
 * children here.
 */
function isBeginning(line: Line | undefined, bootId: string): boolean {
  if (line?.action !== 'journal.start') return false;
  const { [KEYS.hookState]: state, [KEYS.bootId]: boot } = line.attributes;
  return state === 'attached' || boot !== bootId;
}

type Attributes = Record<string, unknown>;

interface Line {
  readonly action: unknown;
  readonly resource: unknown;
  readonly attributes: Attributes;
}

type Known = { -readonly [K in keyof Continuity]: Continuity[K] };

function follow(known: Known, line: string): void {
  if (followNumbers(known, line)) return;
  const record = parse(line);
  if (record !== undefined) followRecord(known, record);
}

/**
 * Takes a line if only its numbers matter, without parsing it. Returns false for any other line.
 */
function followNumbers(known: Known, line: string): boolean {
  if (!line.includes(EXEC) || line.includes(START)) return false;
  const [numbers] = numbersIn(line);
  if (numbers === undefined || numbers.hookId !== known.hookId) return false;
  known.detached = false;
  advance(known.nextSeq, numbers.cpu, numbers.lastSeq);
  return true;
}

function followRecord(known: Known, { action, attributes, resource }: Line): void {
  const hookId = text(attributes[KEYS.hookId]);
  if (hookId === undefined) return;
  if (hookId !== known.hookId) {
    known.hookId = hookId;
    known.bootId = text(attributes[KEYS.bootId]);
    known.nextSeq = [];
    known.losses = new Losses();
    known.kernelMisses = 0;
    known.attachedAt = undefined;
    known.started = new Set();
  }
  known.detached = action === 'journal.stop' && attributes[KEYS.hookState] === 'detached';
  if (action === 'exec') advance(known.nextSeq, attributes[KEYS.cpu], attributes[KEYS.seq]);
  if (attributes[KEYS.entry] === 'start') begin(known, attributes, resource);
  if (action === 'journal.start') start(known.nextSeq, attributes[KEYS.hookNextSeq]);
  if (action === 'journal.loss') lose(known, attributes);
}

function begin(known: Continuity, attributes: Attributes, resource: unknown): void {
  // The cgroup of a pod's container does not always name the pod.
  const [, path] = /^\d+:[^:]*:(.*)$/s.exec(text(attributes[KEYS.cgroup]) ?? '') ?? [];
  const container = path === undefined ? undefined : containerOf(path);
  const { [KEYS.containerId]: id, [KEYS.podUid]: podUid } = (resource ?? {}) as Attributes;
  if (container !== undefined) known.started.add(keyOf(container));
  else if (text(id) !== undefined) known.started.add(keyOf({ id: `${id}`, podUid: text(podUid) }));
}

function start(nextSeq: number[], numbers: unknown): void {
  if (!Array.isArray(numbers)) return;
  for (const [cpu, next] of numbers.entries()) advance(nextSeq, cpu, Number(next) - 1);
}

function lose(known: Continuity, attributes: Attributes): void {
  const stage = attributes[KEYS.lossStage];
  const cpu = Number(attributes[KEYS.lossCpu]);
  const first = Number(attributes[KEYS.lossFirstSeq]);
  const last = Number(attributes[KEYS.lossLastSeq]);
  const own = attributes[KEYS.lossHookId] === known.hookId;
  if (!own || !isCpu(cpu) || !areNumbers([first, last])) return;
  if (stage !== 'retention') known.losses.add(cpu, first, last);
  advance(known.nextSeq, cpu, last);
}

function advance(nextSeq: number[], cpu: unknown, seq: unknown): void {
  if (!isCpu(cpu) || !Number.isSafeInteger(seq)) return;
  while (nextSeq.length <= cpu) nextSeq.push(1);
  nextSeq[cpu] = Math.max(nextSeq[cpu] ?? 1, (seq as number) + 1);
}

/** A larger number is damage, and must not cost memory: no kernel supports as many CPUs. */
function isCpu(value: unknown): value is number {
  return isNumber(value) && (value as number) < CPUS_MAX;
}

/** Reads state.json. A checkpoint whose lines no longer exist is `beyond`. */
function readCheckpoint(dir: string): { checkpoint?: Checkpoint; beyond?: Checkpoint } {
  const checkpoint = asCheckpoint(readState(dir).state as Partial<Checkpoint> | undefined);
  if (checkpoint === undefined) return {};
  if (isWithin(dir, checkpoint.position)) return { checkpoint };
  // Once the journal has grown past that position again, it would seem valid.
  removeState(dir);
  return { beyond: checkpoint };
}

function asCheckpoint(state: Partial<Checkpoint> | undefined): Checkpoint | undefined {
  const { bootId, hookId, detached, attachedAt, nextSeq, losses, kernelMisses, started, position } =
    state ?? {};
  const complete =
    text(bootId) !== undefined &&
    text(hookId) !== undefined &&
    areNumbers(nextSeq) &&
    Array.isArray(losses) &&
    losses.every((ranges) => areNumbers(ranges) && ranges.length % 2 === 0) &&
    isNumber(position?.segment) &&
    isNumber(position?.offset);
  if (!complete) return undefined;
  return {
    bootId: bootId as string,
    hookId: hookId as string,
    detached: detached === true,
    attachedAt: isNanoseconds(attachedAt) ? attachedAt : undefined,
    nextSeq: nextSeq as number[],
    losses: new Losses(losses as unknown as number[][]),
    kernelMisses: Number(kernelMisses) || 0,
    started: Array.isArray(started) ? started.map(String) : [],
    position: position as Position,
  };
}

function parse(line: string): Line | undefined {
  try {
    const { action, attributes, resource } = JSON.parse(line);
    return attributes === null || typeof attributes !== 'object'
      ? undefined
      : { action, attributes, resource };
  } catch {
    return undefined;
  }
}

function areNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every(isNumber);
}

function isNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isNanoseconds(value: unknown): value is string {
  return typeof value === 'string' && /^[1-9]\d{0,18}$/.test(value);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
