import { openIndex } from '../../record/index/open-index.ts';
import { readSoundText } from '../inputs/read/text.ts';
import { IndexCheck } from './index-check.ts';

const LINE_FEED = 0x0a;

/** A check of the index beside a segment, or why there is nothing to check. */
interface CheckedIndex {
  readonly check: IndexCheck | undefined;
  readonly fault: string | undefined;
}

/** Opens the index beside a segment for a check; undefined: there is none. */
export async function checkedIndex(path: string): Promise<CheckedIndex | undefined> {
  try {
    const index = await openIndex(path);
    return index && { check: new IndexCheck(index), fault: undefined };
  } catch (error) {
    return { check: undefined, fault: (error as Error).message };
  }
}

/** Reads a segment to compare it with its index; returns what is wrong. */
export async function indexFaultOf(path: string): Promise<string | undefined> {
  const index = await checkedIndex(path);
  if (index?.check === undefined) return index?.fault;
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of readSoundText(path)) {
    const text = rest.length === 0 ? part : Buffer.concat([rest, part]);
    let from = 0;
    for (let end = text.indexOf(LINE_FEED); end >= 0; end = text.indexOf(LINE_FEED, from)) {
      index.check.other(text.subarray(from, end));
      from = end + 1;
    }
    rest = Buffer.from(text.subarray(from));
  }
  return index.check.end(rest.length);
}
