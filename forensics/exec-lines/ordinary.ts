import { isIdOfExec } from './exec-id.ts';
import type { ExecLineReader } from './exec-line-reader.ts';

/** Unix seconds in the year 2096. */
const SECONDS_MAX = 4_000_000_000;

/**
 * Returns whether the exec that was read breaks no rule of the audit that is about one line. It
 * answers no where it would have to look closer: the rules in line-rules.ts then judge the line.
 */
export function isOrdinary(line: ExecLineReader, bytes: Buffer): boolean {
  const { resource, tail } = line;
  if (resource === undefined || tail === undefined || !tail.isSound) return false;
  if (!resource.hasHost || (tail.hasEntry && !resource.hasContainer)) return false;
  if (tail.hasMetadataState !== (resource.hasContainer && resource.hasPod)) return false;
  if (line.seq < 1 || !hasCommonTimes(line)) return false;
  return isCreatedBefore(line) && isIdOfExec(line, bytes);
}

/** The clock was set, and no time is so far away that a rule would treat it in another way. */
function hasCommonTimes({ timeHigh, bootTimeHigh, created }: ExecLineReader): boolean {
  return bootTimeHigh < timeHigh && timeHigh < SECONDS_MAX && created >= 0;
}

/** An exec that is a little earlier than its process may be right, but is not ordinary. */
function isCreatedBefore({ created, createdNanos, timeHigh, timeLow }: ExecLineReader): boolean {
  return created < timeHigh || (created === timeHigh && createdNanos <= timeLow);
}
