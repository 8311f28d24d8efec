import { counted as countedPlainly, plural } from '../../../record/describe.ts';
import { rfc3339Of } from '../../../record/time.ts';
import { plain, visible as visibleText } from '../../../record/visible.ts';

const INTEGER = /^-?\d{1,30}$/;

/** Any value of a record as text in which everything can be seen. */
export function visible(value: unknown): string {
  return visibleText(plain(value));
}

/** A number of things in words, its digits grouped. */
export function counted(count: unknown, noun: string): string {
  if (typeof count !== 'number') return countedPlainly(count, noun);
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural(noun)}`;
}

/** Nanoseconds from a record's timestamp; undefined if that is no integer. */
export function nanosecondsFrom(value: unknown): bigint | undefined {
  const text = plain(value);
  return INTEGER.test(text) ? BigInt(text) : undefined;
}

/** Date and time in UTC to the nanosecond, as in RFC 3339 with a space in the middle. */
export function fullTime(nanoseconds: bigint | undefined): string {
  const time = nanoseconds === undefined ? undefined : rfc3339Of(nanoseconds);
  return time?.replace('T', ' ').replace('Z', '') ?? 'no time';
}
