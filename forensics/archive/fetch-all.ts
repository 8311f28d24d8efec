import { ForensicsError } from '../errors.ts';
import type { Answers } from '../inputs/find.ts';
import { nameOf } from './address.ts';
import type { Chosen } from './choose.ts';
import type { Listed, S3 } from './client.ts';
import { fetchObject, isFull } from './fetch.ts';
import type { Places } from './places.ts';
import { isUnanswered, whyOf } from './why.ts';

/** More requests at once make no network faster. */
const AT_ONCE = 8;

/** What is fetched, and where to. */
export interface Fetching {
  readonly s3: S3;
  readonly chosen: readonly Chosen[];
  readonly places: Places;
  /** receives how many bytes came; less than 0, if they are fetched again */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Fetches objects, several at a time. The files come in the order of the objects; what cannot be
 * fetched is a problem. Throws if the disk is full.
 */
export async function fetchAll({ s3, chosen, places, onBytes }: Fetching): Promise<Answers> {
  const answers: Answers = { found: [], problems: [], notes: [] };
  const paths = chosen.map((one) => places.of(one));
  const whys: (string | undefined)[] = [];
  let next = 0;
  let unanswered = 0;
  /** Returns why an object cannot be fetched. */
  const whyNot = async (object: Listed, path: string): Promise<string | undefined> => {
    try {
      await fetchObject(s3, object, path, onBytes);
      unanswered = 0;
      return undefined;
    } catch (error) {
      const why = whyOf(error, 'get');
      if (isFull(error)) throw new ForensicsError('unreadable', why);
      unanswered = isUnanswered(error) ? unanswered + 1 : 0;
      return why;
    }
  };
  const work = async () => {
    while (next < chosen.length) {
      const at = next;
      next += 1;
      const { object, index } = chosen[at] as Chosen;
      const path = paths[at] as string;
      // Each of those would take its time.
      whys[at] =
        unanswered >= AT_ONCE
          ? 'S3 no longer answers: run the command again'
          : await whyNot(object, path);
      if (index === undefined || whys[at] !== undefined) continue;
      const why = await whyNot(index, path.replace(/jsonl\.zst$/, 'index'));
      const name = nameOf(index.bucket, index.key);
      if (why !== undefined) answers.notes.push(`${name}: not used: ${why}`);
    }
  };
  const stop = (error: unknown) => {
    next = chosen.length;
    throw error;
  };
  const works = Array.from({ length: AT_ONCE }, () => work().catch(stop));
  await Promise.allSettled(works);
  await Promise.all(works);
  for (const [at, { object, folder, isSegment, isBeside }] of chosen.entries()) {
    const path = nameOf(object.bucket, object.key);
    const why = whys[at];
    const real = paths[at] as string;
    const journal = isSegment ? folder : real;
    if (why !== undefined) answers.problems.push({ path, why });
    else answers.found.push({ path, journal, real, isBeside, isFetched: true });
  }
  return answers;
}
