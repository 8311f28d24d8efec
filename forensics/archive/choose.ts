import type { Problem } from '../inputs/find.ts';
import { LINES, SEGMENT } from '../inputs/names.ts';
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
  /** Whether its folder has segments, and it is none. */
  readonly isBeside: boolean;
  /** the index of a compressed segment */
  readonly index: Listed | undefined;
}

const UNKNOWN_SHOWN = 3;

/**
 * Chooses the objects whose names say that they have records, in the order in which folders are read.
 * Other names are a problem, unless the agent may have given them.
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
        isBeside: journals.has(place.folder) && !isSegment,
        index: index === place.name ? undefined : byName.get(`${place.folder}/${index}`),
      };
    })
    .sort(inOrder);
  const unknown = places.filter(
    ({ name, folder }) => !LINES.test(name) && !isOfAgent(folder, journals),
  );
  return { chosen, problems: problemsOf(unknown.map(({ object }) => object)) };
}

function placeOf({ bucket, key }: Listed) {
  const path = nameOf(bucket, key);
  const slash = path.lastIndexOf('/');
  return { folder: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** Whether a folder is that of a journal, or below it: the agent keeps files of its own there. */
function isOfAgent(folder: string, journals: ReadonlySet<string>): boolean {
  for (let at = folder.length; at > 0; at = folder.lastIndexOf('/', at - 1))
    if (journals.has(folder.slice(0, at))) return true;
  return false;
}

function problemsOf(unknown: readonly Listed[]): Problem[] {
  const [first] = unknown;
  if (first === undefined) return [];
  const others = unknown.slice(1, UNKNOWN_SHOWN).map(({ key }) => key);
  const more = unknown.length - 1 - others.length;
  const also = [...others, ...(more > 0 ? [`${more} more`] : [])].join(', ');
  return [
    {
      path: nameOf(first.bucket, first.key),
      why: `its name is not that of a segment, of JSON lines or of OTLP (.jsonl, .ndjson, .json, .binpb, also with .zst or .gz)${also === '' ? '' : `; neither are ${also}`}. Leave it out with a glob, such as **/*.json; for the exporter awss3, set the marshaler to otlp_json or otlp_proto`,
    },
  ];
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
