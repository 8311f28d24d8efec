import { ForensicsError } from '../errors.ts';
import type { Problem } from '../inputs/find.ts';
import { nameOf, parseArchive } from './address.ts';
import type { Listed, S3 } from './client.ts';
import { keyPattern } from './pattern.ts';
import { whyOf } from './why.ts';

/** How many objects one answer is made from; each is a file. */
const OBJECTS_MAX = 20_000;

/** The objects that inputs name, each once. */
export interface Listing {
  readonly objects: readonly Listed[];
  readonly problems: readonly Problem[];
}

/** Lists what inputs name. Throws if there is too much of it. */
export async function listObjects(s3: S3, inputs: readonly string[]): Promise<Listing> {
  const objects = new Map<string, Listed>();
  const problems: Problem[] = [];
  for (const address of inputs.map(parseArchive)) {
    const { input, bucket, pattern } = address;
    const { prefixes, exact, matches } = keyPattern(pattern);
    let isEmpty = true;
    const add = (object: Listed) => {
      isEmpty = false;
      objects.set(nameOf(bucket, object.key), object);
      if (objects.size > OBJECTS_MAX)
        throw new ForensicsError(
          'unreadable',
          `${input}: more than ${OBJECTS_MAX} objects: name fewer with a longer prefix or a glob, such as the folder of a node or of a day`,
        );
    };
    try {
      const found = exact === undefined ? undefined : await s3.find(bucket, exact);
      if (found !== undefined) add(found);
      for (const prefix of prefixes)
        for await (const page of s3.list(bucket, prefix))
          for (const object of page) if (matches(object.key) && !isFolder(object)) add(object);
      if (isEmpty) problems.push({ path: input, why: 'no object has this name, or is below it' });
    } catch (error) {
      if (error instanceof ForensicsError) throw error;
      problems.push({ path: input, why: whyOf(error, 'list') });
    }
  }
  return { objects: [...objects.values()], problems };
}

/** Consoles make an empty object for a folder. */
function isFolder({ key, bytes }: Listed): boolean {
  return key.endsWith('/') && bytes === 0;
}
