/** Journals of several segments of several frames, with indexes, and changed copies of them. */

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compressSegment } from '../../../agent/journal/archive/compress.ts';
import { type Draft, exec, execId, HOOK, start, text, time } from '../../check/craft.ts';
import { segmentName } from './segment-name.ts';

/** So many records are more than one frame. */
export const RECORDS = 6000;
/** They are compressed, and another one is open. */
export const SEGMENTS = 3;
const IN_OPEN = 50;
const PODS = 40;
const NEVER = new AbortController().signal;
const ARGUMENT = { 'process.command_args': ['x', 'y'.repeat(700)] };

/** The n-th record: every hundredth ends a long chain that begins far before it. */
export function record(n: number, more: object = {}): Draft {
  const cause = n < 10 ? undefined : n % 100 === 0 ? n - 100 : n - 1 - (n % 7);
  const parent = cause === undefined ? {} : { parent: execId(10 * cause + 10, cause + 100) };
  const one = exec(10 * n + 10, n + 100, 0, n + 1, { ...parent, ...more });
  // Pods come and go, so that a segment does not have all of them.
  const pod = Math.floor((n * PODS) / (RECORDS * SEGMENTS));
  one.resource = {
    'host.name': 'node',
    'os.type': 'linux',
    'container.id': `c${pod}`,
    'k8s.namespace.name': 'shop',
    'k8s.pod.name': `cart-${pod}`,
    'k8s.pod.uid': `u${pod}`,
  };
  return one;
}

export const idOf = (n: number) => `${record(n).id}`;
export const timeOf = (n: number) => time(HOOK + BigInt(10 * n + 10));

/** Writes a journal whose last segment is open into a new folder. */
export async function writeIndexed(dir: string, change: (texts: string[][]) => void) {
  const texts = Array.from({ length: SEGMENTS + 1 }, (_, number) => {
    const first = number * RECORDS;
    const count = number === SEGMENTS ? IN_OPEN : RECORDS;
    return Array.from({ length: count }, (_, n) => text(record(first + n, ARGUMENT)));
  });
  texts[0]?.unshift(text(start([1])));
  change(texts);
  mkdirSync(dir);
  for (const [index, one] of texts.entries()) {
    writeFileSync(join(dir, segmentName(index + 1)), one.map((line) => `${line}\n`).join(''));
    if (index < SEGMENTS) await compressSegment(dir, index + 1, 1, NEVER);
  }
}

/** Copies a journal to a folder beside it, and changes the copy. */
export function changedCopy(from: string, name: string, change: (dir: string) => void): string {
  const dir = join(dirname(from), name);
  cpSync(from, dir, { recursive: true });
  change(dir);
  return dir;
}

export function removeIndexes(dir: string): void {
  for (const name of readdirSync(dir)) if (name.endsWith('.index')) rmSync(join(dir, name));
}

/** Changes a bit of a file. */
export function flipBit(file: string, share: number): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length * share);
  bytes.writeUInt8((bytes[at] ?? 0) ^ 0x40, at);
  writeFileSync(file, bytes);
}
