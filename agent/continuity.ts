import { readLinesSync } from './journal/read-sync.ts';
import type { Position } from './journal/segment.ts';
import { readState } from './journal/state.ts';
import { Losses } from './lineage/losses.ts';

/** What a journal knows about the hook that wrote it last: where the next run must go on. */
export interface Continuity {
  readonly bootId: string | undefined;
  readonly hookId: string | undefined;
  /** The last run took the hook away in an orderly way. */
  readonly detached: boolean;
  /** Next expected number of each CPU, for that hook. */
  readonly nextSeq: number[];
  readonly losses: Losses;
  /** Execs that the kernel had skipped by then. */
  readonly kernelMisses: number;
}

/** The part of state.json that the next run needs; the rest of it is for `status`. */
export interface Checkpoint {
  readonly bootId: string;
  readonly hookId: string;
  readonly detached: boolean;
  readonly nextSeq: readonly number[];
  readonly losses: Losses;
  readonly kernelMisses: number;
  readonly position: Position;
}

/**
 * Reads what the journal in `dir` holds: from the position of its last checkpoint to the end, or,
 * without one, all of it.
 */
export function readContinuity(dir: string): Continuity {
  const checkpoint = readCheckpoint(dir);
  const known = {
    bootId: checkpoint?.bootId,
    hookId: checkpoint?.hookId,
    detached: checkpoint?.detached ?? false,
    nextSeq: [...(checkpoint?.nextSeq ?? [])],
    losses: checkpoint?.losses ?? new Losses(),
    kernelMisses: checkpoint?.kernelMisses ?? 0,
  };
  for (const { line } of readLinesSync(dir, checkpoint?.position)) {
    const record = parse(line);
    if (record !== undefined) follow(known, record);
  }
  return known;
}

type Attributes = Record<string, unknown>;

function follow(
  known: { -readonly [K in keyof Continuity]: Continuity[K] },
  line: { action: unknown; attributes: Attributes },
): void {
  const { action, attributes } = line;
  const hookId = text(attributes['vcml.hook.id']);
  if (hookId === undefined) return;
  if (hookId !== known.hookId) {
    known.hookId = hookId;
    known.bootId = text(attributes['vcml.boot.id']);
    known.nextSeq = [];
    known.losses = new Losses();
    known.kernelMisses = 0;
  }
  known.detached = action === 'journal.stop' && attributes['vcml.hook.state'] === 'detached';
  if (action === 'exec') advance(known.nextSeq, attributes['vcml.cpu'], attributes['vcml.seq']);
  if (action === 'journal.start') start(known.nextSeq, attributes['vcml.hook.next_seq']);
  if (action === 'journal.loss') lose(known, attributes);
}

function start(nextSeq: number[], numbers: unknown): void {
  if (!Array.isArray(numbers)) return;
  for (const [cpu, next] of numbers.entries()) advance(nextSeq, cpu, Number(next) - 1);
}

function lose(known: Continuity, attributes: Attributes): void {
  const stage = attributes['vcml.loss.stage'];
  const cpu = Number(attributes['vcml.loss.cpu']);
  const first = Number(attributes['vcml.loss.first_seq']);
  const last = Number(attributes['vcml.loss.last_seq']);
  const own = attributes['vcml.loss.hook_id'] === known.hookId;
  if (stage === 'retention' || !own || !Number.isInteger(cpu + first + last)) return;
  known.losses.add(cpu, first, last);
  advance(known.nextSeq, cpu, last);
}

function advance(nextSeq: number[], cpu: unknown, seq: unknown): void {
  if (!Number.isInteger(cpu) || !Number.isInteger(seq)) return;
  const at = cpu as number;
  while (nextSeq.length <= at) nextSeq.push(1);
  nextSeq[at] = Math.max(nextSeq[at] ?? 1, (seq as number) + 1);
}

function readCheckpoint(dir: string): Checkpoint | undefined {
  const state = readState(dir).state as Partial<Checkpoint> | undefined;
  const { bootId, hookId, detached, nextSeq, losses, kernelMisses, position } = state ?? {};
  const complete =
    text(bootId) !== undefined &&
    text(hookId) !== undefined &&
    areNumbers(nextSeq) &&
    Array.isArray(losses) &&
    losses.every((runs) => areNumbers(runs) && runs.length % 2 === 0) &&
    isNumber(position?.segment) &&
    isNumber(position?.offset);
  if (!complete) return undefined;
  return {
    bootId: bootId as string,
    hookId: hookId as string,
    detached: detached === true,
    nextSeq: nextSeq as number[],
    losses: new Losses(losses as unknown as number[][]),
    kernelMisses: Number(kernelMisses) || 0,
    position: position as Position,
  };
}

function parse(line: string): { action: unknown; attributes: Attributes } | undefined {
  try {
    const { action, attributes } = JSON.parse(line);
    return attributes === null || typeof attributes !== 'object'
      ? undefined
      : { action, attributes };
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

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
