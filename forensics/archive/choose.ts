import type { Problem } from '../inputs/find.ts';
import { LINES, OF_AGENT, SEGMENT, unknownNames } from '../inputs/names.ts';
import { nameOf } from './address.ts';
import type { Listed } from './client.ts';

/** An object that is read. */
export interface Chosen {
  readonly object: Listed;
  /** the bucket and the key up to the last slash */
  readonly folder: string;
  /** the key behind that */
  readonly name: string;
  readonly isSegment: boolean;
  /** Whether it has the name of one of the agent's own files, in a folder of segments. */
  readonly isBeside: boolean;
  /** the index of a compressed segment */
  readonly index: Listed | undefined;
}

/** What can be done about objects whose names say nothing. */
const UNKNOWN =
  'Leave it out with a glob, such as **/*.json; for the exporter awss3, set the marshaler to otlp_json or otlp_proto';

/**
 * Chooses the objects whose names say that they have records, in the order in which folders are read.
 * Other names are a problem, unless they are those of the agent's own files.
 */
export function chooseObjects(objects: readonly Listed[]): {
  chosen: Chosen[];
  problems: Problem[];
} {
  const places = objects.map((object) => ({ object, ...placeOf(object) }));
  const journals = new Set(
    places.filter(({ name }) => SEGMENT.test(name)).map(({ folder }) => folder),
  );
  const byName = new Map(objects.map((one) => [nameOf(one.bucket, one.key), one]));
  const chosen = places
    .filter(({ name }) => LINES.test(name))
    .map((place): Chosen => {
      const isSegment = SEGMENT.test(place.name);
      const index = isSegment ? place.name.replace(/\.jsonl\.zst$/, '.index') : place.name;
      return {
        ...place,
        isSegment,
        isBeside: journals.has(place.folder) && OF_AGENT.test(place.name),
        index: index === place.name ? undefined : byName.get(`${place.folder}/${index}`),
      };
    })
    .sort(inOrder);
  const unknown = places
    .filter(({ name, object }) => object.bytes > 0 && !LINES.test(name) && !OF_AGENT.test(name))
    .map(({ object }, at) => (at === 0 ? nameOf(object.bucket, object.key) : object.key));
  return { chosen, problems: unknownNames(unknown, UNKNOWN) };
}

function placeOf({ bucket, key }: Listed) {
  const path = nameOf(bucket, key);
  const slash = path.lastIndexOf('/');
  return { folder: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** In a folder come segments, then other objects, then folders. */
function inOrder(one: Chosen, other: Chosen): number {
  const [a, b] = [one, other].map(({ folder }) => folder.split('/')) as [string[], string[]];
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const [left, right] = [a[at], b[at]];
  if (left !== undefined && right !== undefined) return compare(left, right);
  if (left !== right) return left === undefined ? -1 : 1;
  return Number(other.isSegment) - Number(one.isSegment) || compare(one.name, other.name);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
