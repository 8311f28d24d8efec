import { KEYS } from './fields.ts';
import { plain } from './visible.ts';

/** What names the node of a record; a machine without Kubernetes has the second one alone. */
const NAMES = [KEYS.nodeName, KEYS.hostName];

/** Returns the node that a record's resource names, as it is written; undefined: it names none. */
export function nodeOf(resource: Readonly<Record<string, unknown>>): string | undefined {
  const name = NAMES.map((key) => resource[key] ?? undefined).find((one) => one !== undefined);
  return name === undefined ? undefined : plain(name);
}
