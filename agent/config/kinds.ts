import { resolve } from 'node:path';
import * as z from 'zod';
import { parseAddress } from '../telemetry/address.ts';

const DURATIONS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const SIZES: Record<string, number> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Accepts a duration such as `500ms`, `30s`, `15m` or `1h` and makes milliseconds of it; 0 needs no unit. */
export function duration(min: string, max: string, { orZero = false } = {}) {
  const [low, high] = [quantity(min, DURATIONS) ?? 0, quantity(max, DURATIONS) ?? 0];
  const parse = (text: string) => {
    const ms = isBare(text) ? undefined : quantity(text, DURATIONS);
    return ms === 0 && orZero ? 0 : within(ms, low, high);
  };
  const what = `${orZero ? '0, or ' : ''}a duration from ${min} to ${max}`;
  const hint = (text: string) => (isBare(text) ? `; ${text}s or ${text}ms?` : '');
  return parsed(what, parse, { units: 'in ms, s, m or h', hint, of: 'duration' });
}

/** A number without a unit is refused, because seconds and milliseconds are mixed up too easily. */
function isBare(text: string): boolean {
  return /^\d*[1-9]\d*$/.test(text);
}

/** Accepts a size such as `64KiB`, `64MiB`, `2GiB` or a number of bytes, and makes bytes of it. */
export function size(min: string, max: string, powerOfTwo = false) {
  const [low, high] = [quantity(min, SIZES) ?? 0, quantity(max, SIZES) ?? 0];
  const parse = (text: string) => {
    const bytes = within(quantity(text, SIZES), low, high);
    return powerOfTwo && !Number.isInteger(Math.log2(bytes ?? 0)) ? undefined : bytes;
  };
  const what = powerOfTwo ? 'a power of two' : 'a size';
  return parsed(`${what} from ${min} to ${max}`, parse, {
    units: 'in B, KiB, MiB or GiB',
    of: 'size',
  });
}

/** Accepts a whole number that is not in `except`. */
export function integer(min: number, max: number, except: readonly number[] = []) {
  const but = except.length === 0 ? '' : `, but not ${except.join(' or ')}`;
  const parse = (text: string) => {
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
    return value === undefined || except.includes(value) ? undefined : within(value, min, max);
  };
  return parsed(`a whole number from ${min} to ${max}${but}`, parse, { of: 'integer' });
}

/** Accepts the path of a folder and makes it absolute. */
export function folder() {
  return parsed('the path of a folder', (text) =>
    text === '' || text.includes('\0') ? undefined : resolve(text),
  );
}

/** Accepts a name of printable characters that is not empty. */
export function name() {
  return parsed('a name of printable characters', (text) =>
    /^[^\p{C}\p{Z}]+$/u.test(text) ? text : undefined,
  );
}

/** Accepts HOST:PORT, or a port of the loopback interface; empty means not to listen. */
export function listenAddress() {
  return parsed('HOST:PORT, a port of the loopback interface, or empty', (text) =>
    text === '' || parseAddress(text) !== undefined ? text : undefined,
  );
}

/**
 * Accepts words: a YAML list, or text that separates them by spaces. `check` returns what is wrong
 * with a word, or undefined.
 */
export function list(
  values: string,
  check: (word: string) => string | undefined = () => undefined,
) {
  return z
    .union([z.string(), z.array(z.string())], { error: `must be ${values}` })
    .transform((given, context): readonly string[] => {
      const words = typeof given === 'string' ? given.split(/\s+/).filter(Boolean) : given;
      for (const word of words) {
        const wrong = check(word);
        if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong, input: word });
      }
      return words;
    })
    .meta({ values });
}

/** Accepts names of environment variables. */
export function variables() {
  return list('names of environment variables', (word) =>
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(word)
      ? undefined
      : `${JSON.stringify(word)} is not the name of an environment variable`,
  );
}

/** Accepts a name of printable characters, or nothing. */
export function optionalName() {
  return parsed('a name of printable characters', (text) =>
    /^[^\p{C}\p{Z}]*$/u.test(text) ? text : undefined,
  );
}

/** Accepts the path of a file and makes it absolute, or nothing. */
export function optionalFile() {
  return parsed('the path of a file', (text) => {
    if (text.includes('\0')) return undefined;
    return text === '' ? '' : resolve(text);
  });
}

/** Accepts an https URL of a host without a path, or a socket. */
export function httpsOrSocket() {
  return parsed('an https URL such as https://127.0.0.1:10250, or unix:///PATH', (text) => {
    if (/^unix:\/\/\/[^\0]+$/.test(text)) return text;
    const url = URL.parse(text);
    return url?.protocol === 'https:' && url.pathname === '/' ? url.origin : undefined;
  });
}

/** Accepts one word of a closed list. */
export function choice<const Words extends readonly string[]>(words: Words) {
  const values = words.join(' | ');
  return z.enum(words, { error: `must be ${values}` }).meta({ values });
}

/** Formats a value as a person writes it: durations and sizes in the largest unit that is exact. */
export function written(value: string | number | readonly string[], of: unknown): string {
  if (typeof value === 'object') return JSON.stringify(value);
  const units = of === 'duration' ? DURATIONS : of === 'size' ? SIZES : {};
  const exact = Object.entries(units).filter(([, factor]) => Number(value) % factor === 0);
  const [unit = '', factor = 1] = (value !== 0 && exact.at(-1)) || [];
  return typeof value === 'string' ? value : `${value / factor}${unit}`;
}

interface Quantity {
  readonly units?: string;
  readonly of: 'duration' | 'size' | 'integer';
  readonly hint?: (text: string) => string;
}

/** Makes a schema from a parser. `values` describes the accepted values in --help, in the docs and, with the units, in errors. */
function parsed<T>(values: string, parse: (text: string) => T | undefined, quantity?: Quantity) {
  const error = `must be ${values}${quantity?.units === undefined ? '' : `, ${quantity.units}`}`;
  return z
    .union([z.string(), z.number()], { error })
    .transform((given, context): T => {
      const text = `${given}`.trim();
      const value = parse(text);
      if (value !== undefined) return value;
      const message = `${error}${quantity?.hint?.(text) ?? ''}`;
      context.addIssue({ code: 'custom', message, input: given });
      return z.NEVER;
    })
    .meta({ values, of: quantity?.of });
}

function quantity(text: string, units: Record<string, number>): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,15})\s?([A-Za-z]*)$/.exec(text) ?? [];
  const factor = unit === '' ? 1 : units[unit];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}
