import { isWithin } from '../../journal/length.ts';
import type { Position } from '../../journal/segment.ts';
import { readState, removeState, STATE_FILES } from '../../journal/state.ts';
import { Losses } from '../../lineage/losses.ts';

/** The part of state.json that the next run needs; the rest of it is for `status`. */
export interface Checkpoint {
  readonly bootId: string;
  readonly hookId: string;
  readonly detached: boolean;
  /** See Continuity. */
  readonly attachedAt: string | undefined;
  readonly nextSeq: readonly number[];
  readonly losses: Losses;
  /** See Losses. */
  readonly partlyLost?: readonly (readonly number[])[];
  readonly kernelMisses: number;
  readonly started: readonly string[];
  readonly position: Position;
}

/**
 * Reads the newest checkpoint whose lines are still in the journal: state.json, or, if a
 * system crash removed that or the lines before it, checkpoint.json. Undefined: there is none.
 */
export async function readCheckpoint(dir: string): Promise<Checkpoint | undefined> {
  for (const file of STATE_FILES) {
    const checkpoint = asCheckpoint(readState(dir, file).state as Partial<Checkpoint> | undefined);
    if (checkpoint === undefined) continue;
    if (await isWithin(dir, checkpoint.position)) return checkpoint;
    // Once the journal has grown past that position again, it would seem valid.
    removeState(dir, file);
  }
  return undefined;
}

function asCheckpoint(state: Partial<Checkpoint> | undefined): Checkpoint | undefined {
  const { bootId, hookId, detached, attachedAt, nextSeq, kernelMisses, started, position } =
    state ?? {};
  const { losses, partlyLost = [] } = state ?? {};
  const complete =
    typeof bootId === 'string' &&
    typeof hookId === 'string' &&
    areNumbers(nextSeq) &&
    Array.isArray(losses) &&
    losses.every((ranges) => areNumbers(ranges) && ranges.length % 2 === 0) &&
    Array.isArray(partlyLost) &&
    partlyLost.every(areNumbers) &&
    isNumber(position?.segment) &&
    isNumber(position?.offset);
  if (!complete) return undefined;
  return {
    bootId: bootId as string,
    hookId: hookId as string,
    detached: detached === true,
    attachedAt: isNanoseconds(attachedAt) ? attachedAt : undefined,
    nextSeq: nextSeq as number[],
    losses: new Losses(losses as unknown as number[][], partlyLost),
    kernelMisses: Number(kernelMisses) || 0,
    started: Array.isArray(started) ? started.map(String) : [],
    position: position as Position,
  };
}

function areNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every(isNumber);
}

function isNanoseconds(value: unknown): value is string {
  return typeof value === 'string' && /^[1-9]\d{0,18}$/.test(value);
}

function isNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
