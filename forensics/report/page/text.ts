/** What an eye misses or what turns a text around: controls, bidi, zero width, odd spaces. */
const INVISIBLE = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const ODD = /[^\x20-\x7e]/;
const PLAIN = /^[\w@%+=:,./\\^~[\]{}-]+$/;
const INTEGER = /^-?\d{1,30}$/;

/**
 * Any value as a text in which everything can be seen. A backslash of a kernel string is doubled
 * in the record, so these escapes cannot be mistaken for what was there.
 */
export function visible(value: unknown): string {
  const text = plain(value);
  return ODD.test(text) ? text.replaceAll(INVISIBLE, escapeOf) : text;
}

/** Any value as a text: JSON where it is none. An object's own toString may be anything. */
export function plain(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** The same as `visible`, in quotes if a shell would not take it as one word. */
export function word(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return value;
  return `'${visible(value).replaceAll("'", "'\\''")}'`;
}

function escapeOf(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** The beginning of a text, no half of a surrogate pair at its end. */
export function shortened(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** A number of things, in words. */
export function counted(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : nouns}`;
}

/** Nanoseconds from what a record has as its timestamp; undefined if that is no integer. */
export function nanosecondsFrom(value: unknown): bigint | undefined {
  const text = plain(value);
  return INTEGER.test(text) ? BigInt(text) : undefined;
}

/** Date and time in UTC to the nanosecond, as in RFC 3339 but for a space. */
export function fullTime(nanoseconds: bigint | undefined): string {
  if (nanoseconds === undefined) return 'no time';
  const nanos = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const date = new Date(Number((nanoseconds - nanos) / 1_000_000n));
  if (Number.isNaN(date.getTime())) return 'no time';
  return `${date.toISOString().slice(0, -5).replace('T', ' ')}.${String(nanos).padStart(9, '0')}`;
}
