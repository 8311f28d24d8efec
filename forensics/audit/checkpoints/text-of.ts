import { existsSync } from 'node:fs';
import { compressedName } from '../../inputs/find.ts';
import { readSoundText } from '../../inputs/read/text.ts';

/** Returns a part of a segment's text, in whatever form it is now. Throws if it is not there. */
export async function textOf(path: string, from: number, bytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let at = 0;
  for await (const part of readSoundText(existsSync(path) ? path : compressedName(path))) {
    const begin = Math.max(0, from - at);
    const end = Math.min(part.length, from + bytes - at);
    if (begin < end) parts.push(Buffer.from(part.subarray(begin, end)));
    at += part.length;
    if (at >= from + bytes) return Buffer.concat(parts).toString();
  }
  throw new RangeError(`${path} ends before byte ${from + bytes}`);
}
