import { rfc3339Of } from '../../../record/time.ts';
import { ForensicsError } from '../../errors.ts';
import type { Which } from '../memory.ts';

const SHOWN = 5;

/** Where a record is. */
interface Place {
  readonly node: string;
  readonly at: bigint;
}

/** Returns the record that is meant, of all with its id. Throws if there is none, or several. */
export function onlyOne<One extends Place>({ id, on, at }: Which, all: readonly One[]): One {
  const found = all.filter((one) => one.node === (on ?? one.node) && one.at === (at ?? one.at));
  const places = new Set(found.map((one) => `on ${one.node} at ${rfc3339Of(one.at)}`));
  const [first] = found;
  if (first === undefined) {
    const place = on === undefined && at === undefined ? '' : ' on this node at this time';
    throw new ForensicsError('negative', `no record has the id ${id}${place}`);
  }
  if (places.size === 1) return first;
  const some = [...places].slice(0, SHOWN).join(', ');
  throw new ForensicsError(
    'usage',
    `more than one record has the id ${id}: ${some}; open the one you mean from the list of records`,
  );
}
