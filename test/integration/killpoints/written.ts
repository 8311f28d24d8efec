import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Operation } from '../journal/disk-model.ts';

const LINE_FEED = 0x0a;
const SEGMENT = /^\d{20}\.jsonl$/;

/**
 * Returns every line that a journal has, or had before it was deleted for space, from the trace of
 * all changes of its files, and from its plain segments at the beginning of the trace.
 */
export function linesWritten(
  operations: readonly Operation[],
  segments: Map<string, Buffer> = new Map(),
): string[] {
  for (const operation of operations) {
    if (operation.kind === 'printed' || !SEGMENT.test(operation.name)) continue;
    const bytes = segments.get(operation.name) ?? Buffer.alloc(0);
    // A torn line that was removed with its file is no part of the next file with that name.
    if (operation.kind === 'create')
      segments.set(operation.name, bytes.subarray(0, bytes.lastIndexOf(LINE_FEED) + 1));
    if (operation.kind === 'write')
      segments.set(operation.name, Buffer.concat([bytes, operation.bytes]));
    if (operation.kind === 'truncate')
      segments.set(operation.name, bytes.subarray(0, operation.size));
  }
  return [...segments]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, bytes]) => bytes.toString('utf8').split('\n').slice(0, -1));
}

/** Reads the plain segments of a folder. */
export function plainSegments(dir: string): Map<string, Buffer> {
  const names = existsSync(dir) ? readdirSync(dir).filter((name) => SEGMENT.test(name)) : [];
  return new Map(names.map((name) => [name, readFileSync(join(dir, name))]));
}
