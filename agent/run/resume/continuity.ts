import { CORE } from '../../../record/fields/core.ts';
import { KEYS } from '../../../record/fields.ts';
import { numbersIn } from '../../../record/numbers.ts';
import { addBounded } from '../../enrich/bounded-set.ts';
import { containerOf, keyOf } from '../../enrich/cgroups/container-path.ts';
import { unitOf } from '../../enrich/cgroups/unit-path.ts';
import { STARTED_MAX } from '../../enrich/enricher.ts';
import { Losses } from '../../lineage/losses.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type NumberRange, NumberRanges } from './number-ranges.ts';

/** What a journal says about the hook that wrote it last: where the next run must continue. */
export interface Continuity {
  bootId: string | undefined;
  hookId: string | undefined;
  /** The last run ended in order and detached the hook. */
  detached: boolean;
  /** The next expected number of each CPU, for that hook. */
  nextSeq: number[];
  losses: Losses;
  /** The number of each CPU with which its lines begin, as far as something says so. */
  beginSeq: readonly number[];
  /** The number of each CPU below which a checkpoint knew every loss. */
  checkpointSeq: readonly number[];
  /** The numbers of the records and losses in its lines, as far as they were read. */
  seen: NumberRanges;
  /** By CPU: what was deleted for space, as its lines say. */
  deleted: Map<number, NumberRange>;
  /** Whether some of its lines could not be read, or are gone, and nothing in the journal says which. */
  isDamaged: boolean;
  /** The number of execs that the kernel had skipped until then, as recorded. */
  kernelMisses: number;
  /** The boot time at which all of its programs were last known to be attached, if one is. */
  attachedAt: string | undefined;
  /** The containers and units whose start is recorded, by the keys that the enrichment gives them. */
  started: Set<string>;
  /**
   * Whether `started` includes those that are older than the hook: a checkpoint names them. It does
   * not once there were too many.
   */
  startedIsWhole: boolean;
  /** The hooks before it whose ends are not recorded, the oldest first. */
  before: readonly Continuity[];
}

/** Text that is in the line of every exec. */
const EXEC = `"${CORE.action.key}":"exec"`;
/** Text that is in the line of every start of a container or unit. */
const START = `"${KEYS.entry}":"start"`;
/** Every line that says more than its own number contains one of these texts. */
export const SAYING_MORE = [`"${CORE.action.key}":"journal.`, START];
const CPUS_MAX = 65_536;

/** Returns what is known before the first line: what a checkpoint says, or nothing. */
export function continuityFrom(checkpoint?: Checkpoint): Continuity {
  return {
    bootId: checkpoint?.bootId,
    hookId: checkpoint?.hookId,
    detached: checkpoint?.detached ?? false,
    nextSeq: [...(checkpoint?.nextSeq ?? [])],
    losses: new Losses(checkpoint?.losses.toJSON(), checkpoint?.losses.partly),
    beginSeq: [...(checkpoint?.nextSeq ?? [])],
    checkpointSeq: [...(checkpoint?.nextSeq ?? [])],
    seen: new NumberRanges(),
    deleted: new Map(),
    isDamaged: false,
    kernelMisses: checkpoint?.kernelMisses ?? 0,
    attachedAt: checkpoint?.attachedAt,
    started: new Set(checkpoint?.started),
    startedIsWhole: checkpoint !== undefined,
    before: [],
  };
}

/**
 * Adds what the next line says, and forgets what concerns another hook. Returns the record; `numbers`
 * if only its numbers matter, and undefined if the line is no record.
 */
export function follow(known: Continuity, line: string): Followed | 'numbers' | undefined {
  if (followNumbers(known, line)) return 'numbers';
  const record = parse(line);
  if (record !== undefined) followRecord(known, record);
  return record;
}

/** Adds what later lines say, which were followed by themselves. */
export function append(known: Continuity, later: Continuity): void {
  if (later.hookId === undefined) return;
  if (later.hookId !== known.hookId) {
    Object.assign(known, later);
    return;
  }
  known.detached = later.detached;
  for (const [cpu, next] of later.nextSeq.entries()) advance(known.nextSeq, cpu, next - 1);
  for (const [cpu, ranges] of later.losses.toJSON().entries())
    for (let n = 0; n < ranges.length; n += 2)
      known.losses.add(cpu, ranges[n] ?? 0, ranges[n + 1] ?? 0);
  known.seen.append(later.seen);
  for (const [cpu, range] of later.deleted) noteDeleted(known, cpu, range);
  known.isDamaged ||= later.isDamaged;
  known.kernelMisses += later.kernelMisses;
  for (const key of later.started) addStarted(known, key);
}

/**
 * Takes a line if only its numbers matter, without parsing it. Returns false for any other line.
 */
function followNumbers(known: Continuity, line: string): boolean {
  if (!line.includes(EXEC) || line.includes(START)) return false;
  const [numbers] = numbersIn(line);
  if (numbers === undefined || numbers.hookId !== known.hookId) return false;
  known.detached = false;
  advance(known.nextSeq, numbers.cpu, numbers.lastSeq);
  see(known, numbers.cpu, numbers.firstSeq, numbers.lastSeq);
  return true;
}

type Attributes = Record<string, unknown>;

/** A line whose record was parsed. */
export interface Followed {
  readonly action: unknown;
  readonly resource: unknown;
  readonly attributes: Attributes;
}

function followRecord(known: Continuity, { action, attributes, resource }: Followed): void {
  const hookId = text(attributes[KEYS.hookId]);
  if (hookId === undefined) return;
  if (hookId !== known.hookId) {
    const numbers = action === 'journal.start' ? attributes[KEYS.hookNextSeq] : [];
    const beginSeq = Array.isArray(numbers) && numbers.every(isNumber) ? numbers : [];
    const bootId = text(attributes[KEYS.bootId]);
    Object.assign(known, continuityFrom(), { hookId, bootId, beginSeq });
  }
  // A checkpoint follows the stop.
  if (action === 'journal.checkpoint') return;
  known.detached = action === 'journal.stop' && attributes[KEYS.hookState] === 'detached';
  if (action === 'exec') {
    const { [KEYS.cpu]: cpu, [KEYS.seq]: seq } = attributes;
    advance(known.nextSeq, cpu, seq);
    see(known, cpu, seq, seq);
  }
  if (attributes[KEYS.entry] === 'start') begin(known, attributes, resource);
  if (action === 'journal.start') start(known, attributes);
  if (action === 'journal.loss') lose(known, attributes);
}

function begin(known: Continuity, attributes: Attributes, resource: unknown): void {
  // The cgroup of a pod's container does not always name the pod, and may name another container.
  const [, path] = /^\d+:[^:]*:(.*)$/s.exec(text(attributes[KEYS.cgroup]) ?? '') ?? [];
  const unit = text(attributes[KEYS.unit]);
  if (unit !== undefined) {
    const { root } = (path && unitOf(path)) || {};
    if (root?.endsWith(`/${unit}`)) addStarted(known, root);
    return;
  }
  const container = path === undefined ? undefined : containerOf(path);
  const { [KEYS.containerId]: id, [KEYS.podUid]: podUid } = (resource ?? {}) as Attributes;
  if (container !== undefined && container.id === id) addStarted(known, keyOf(container));
  else if (text(id) !== undefined) addStarted(known, keyOf({ id: `${id}`, podUid: text(podUid) }));
}

function addStarted(known: Continuity, key: string): void {
  addBounded(known.started, key, STARTED_MAX);
  // The first ones may be gone, here or from a part of the journal, although the containers exist.
  if (known.started.size >= STARTED_MAX) known.startedIsWhole = false;
}

function start(known: Continuity, attributes: Attributes): void {
  // The counters of programs that were just attached begin at 0.
  if (attributes[KEYS.hookState] !== 'resumed') known.kernelMisses = 0;
  const numbers = attributes[KEYS.hookNextSeq];
  if (!Array.isArray(numbers)) return;
  for (const [cpu, next] of numbers.entries()) advance(known.nextSeq, cpu, Number(next) - 1);
}

function lose(known: Continuity, attributes: Attributes): void {
  const stage = attributes[KEYS.lossStage];
  const cpu = Number(attributes[KEYS.lossCpu]);
  const first = Number(attributes[KEYS.lossFirstSeq]);
  const last = Number(attributes[KEYS.lossLastSeq]);
  if (attributes[KEYS.lossHookId] !== known.hookId) return;
  const count = attributes[KEYS.lossCount];
  if (stage === 'kernel' && isNumber(count)) known.kernelMisses += count;
  // A segment that could not be read was deleted.
  if (stage === 'retention' && attributes[KEYS.lossCpu] === undefined) known.isDamaged = true;
  if (!isCpu(cpu) || !isNumber(first) || !isNumber(last)) return;
  if (stage === 'retention') noteDeleted(known, cpu, [first, last]);
  else {
    known.losses.add(cpu, first, last);
    see(known, cpu, first, last);
  }
  advance(known.nextSeq, cpu, last);
}

/** The oldest records are deleted first, so that there is nothing between two deletions. */
export function noteDeleted(
  { deleted }: Continuity,
  cpu: number,
  [first, last]: NumberRange,
): void {
  const [from, to] = deleted.get(cpu) ?? [first, last];
  deleted.set(cpu, [Math.min(from, first), Math.max(to, last)]);
}

function see({ seen }: Continuity, cpu: unknown, first: unknown, last: unknown): void {
  if (isCpu(cpu) && isNumber(first) && isNumber(last)) seen.add(cpu, first, last);
}

function advance(nextSeq: number[], cpu: unknown, seq: unknown): void {
  if (!isCpu(cpu) || !Number.isSafeInteger(seq)) return;
  while (nextSeq.length <= cpu) nextSeq.push(1);
  nextSeq[cpu] = Math.max(nextSeq[cpu] ?? 1, (seq as number) + 1);
}

/** A larger number is damage, and must not cost memory: no kernel supports as many CPUs. */
function isCpu(value: unknown): value is number {
  return isNumber(value) && value < CPUS_MAX;
}

function parse(line: string): Followed | undefined {
  try {
    const { action, attributes, resource } = JSON.parse(line);
    return attributes === null || typeof attributes !== 'object'
      ? undefined
      : { action, attributes, resource };
  } catch {
    return undefined;
  }
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
