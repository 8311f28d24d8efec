import { proofText, readProof } from '../../../forensics/evidence/proof-text.ts';
import { sha256 } from '../../../record/tree/hashes.ts';
import type { Random } from '../../forensics/audit/checkpoints/attacks.ts';

const LINE_FEED = 0x0a;
const HASH = /[A-Za-z0-9+/]{43}=/g;

/** Ways to change a part of a file; what is before it stays. */
const WAYS: readonly ((file: Buffer, from: number, random: Random) => Buffer)[] = [
  // one bit
  (file, from, random) => {
    const changed = Buffer.from(file);
    const at = from + random.below(file.length - from);
    changed[at] = (file[at] ?? 0) ^ (1 << random.below(8));
    return changed;
  },
  // one byte, by another that the file has
  (file, from, random) => {
    const changed = Buffer.from(file);
    changed[from + random.below(file.length - from)] = file[random.below(file.length)] ?? 0;
    return changed;
  },
  // a digit by another one
  (file, from, random) => {
    const at = placeOf(file, from, random, /[0-9]/);
    return replaced(file, [at, at + 1], Buffer.from(`${random.below(10)}`));
  },
  // a part that is left out, doubled, or moved
  (file, from, random) => replaced(file, partOf(file, from, random), Buffer.alloc(0)),
  (file, from, random) => {
    const [begin, end] = partOf(file, from, random);
    return replaced(file, [end, end], file.subarray(begin, end));
  },
  (file, from, random) => {
    const [begin, end] = partOf(file, from, random);
    const to = from + random.below(file.length - from);
    return replaced(file, [to, to], file.subarray(begin, end));
  },
  // a whole line that is left out, doubled, or exchanged with another one
  (file, from, random) => replaced(file, lineOf(file, from, random), Buffer.alloc(0)),
  (file, from, random) => {
    const [begin, end] = lineOf(file, from, random);
    return replaced(file, [end, end], file.subarray(begin, end));
  },
  (file, from, random) => {
    const [a, b] = [lineOf(file, from, random), lineOf(file, from, random)].sort(
      ([one], [other]) => one - other,
    );
    if (a === undefined || b === undefined) return file;
    const between = file.subarray(a[1], b[0]);
    return replaced(
      file,
      [a[0], b[1]],
      Buffer.concat([file.subarray(...b), between, file.subarray(...a)]),
    );
  },
  // a hash by another one
  (file, from, random) => {
    const hashes = [...file.toString('latin1').matchAll(HASH)];
    const behind = hashes.filter(({ index }) => index >= from);
    if (behind.length === 0) return file;
    const target = random.of(behind);
    const source = random.of(hashes)[0];
    return replaced(file, [target.index, target.index + source.length], Buffer.from(source));
  },
  // white space, which JSON allows at many places
  (file, from, random) => {
    const at = placeOf(file, from, random, /[,:{}[\]]/);
    return replaced(file, [at, at], Buffer.from(random.of([' ', '\t', '\r', '\n'])));
  },
];

/** Changes a file at a random place from an offset on; it may also stay as it is. */
export function changed(file: Buffer, from: number, random: Random): Buffer {
  return random.of(WAYS)(file, from, random);
}

/**
 * Changes a proof as who forges one would: the numbers of bytes and the last line are right. What a selection
 * is of stays, because it can be proved of another one as well.
 */
export function forged(file: Buffer, random: Random): Buffer {
  const proof = readProof(file);
  const name = random.of(['lines', 'anchor', 'opening', 'file'] as const);
  const content = name === 'file' ? undefined : proof[name];
  if (name === 'file' || content === undefined)
    return summed(changed(file, file.indexOf('\nblock ') + 1, random));
  return proofText({ ...proof, [name]: changed(content, 0, random) });
}

/** Gives a proof the SHA-256 of its bytes in its last line. */
export function summed(file: Buffer): Buffer {
  const at = file.lastIndexOf('\nsha256 ') + 1;
  const content = file.subarray(0, at);
  return Buffer.concat([content, Buffer.from(`sha256 ${sha256(content).toString('base64')}\n`)]);
}

function replaced(file: Buffer, [begin, end]: readonly [number, number], by: Buffer): Buffer {
  return Buffer.concat([file.subarray(0, begin), by, file.subarray(end)]);
}

function partOf(file: Buffer, from: number, random: Random): readonly [number, number] {
  const begin = from + random.below(file.length - from);
  return [begin, Math.min(file.length, begin + 1 + random.below(40))];
}

function lineOf(file: Buffer, from: number, random: Random): readonly [number, number] {
  const at = from + random.below(file.length - from);
  const begin = Math.max(from, file.subarray(0, at).lastIndexOf(LINE_FEED) + 1);
  return [begin, file.indexOf(LINE_FEED, at) + 1];
}

/** Returns the first place from a random one on whose character is such a one; else the last place. */
function placeOf(file: Buffer, from: number, random: Random, is: RegExp): number {
  for (let at = from + random.below(file.length - from); at < file.length; at += 1)
    if (is.test(String.fromCharCode(file[at] ?? 0))) return at;
  return file.length - 1;
}
