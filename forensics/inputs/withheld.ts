import { isObject, type JsonObject } from '../../record/exact-json.ts';
import { KEYS } from '../../record/fields.ts';
import type { Range } from '../ranges.ts';

/** Numbers of a CPU that rules withheld, as a record says. */
export interface WithheldNumbers extends Range {
  /** `boot/hook/cpu` */
  readonly key: string;
}

/** Returns what a record says about withheld ones; nothing if it is another record, or damaged. */
export function withheldIn({ action, attributes }: JsonObject): WithheldNumbers[] {
  if (action !== 'journal.withheld' || !isObject(attributes)) return [];
  const {
    [KEYS.bootId]: boot,
    [KEYS.withheldHookId]: hook,
    [KEYS.withheldCpu]: cpu,
    [KEYS.withheldRanges]: ranges,
  } = attributes;
  if (!Array.isArray(ranges)) return [];
  return ranges.flatMap((text) => {
    const found = /^(\d{1,16})-(\d{1,16})$/.exec(String(text));
    if (found === null) return [];
    return [{ key: `${boot}/${hook}/${cpu}`, first: Number(found[1]), last: Number(found[2]) }];
  });
}
