import { createRequire } from 'node:module';
import type * as Pino from 'pino';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];
const COLOURS: Record<Level, number> = { debug: 2, info: 36, warn: 33, error: 31 };

/** What the agent says about itself, on stderr; the message is a constant, what varies is in the fields. */
export type Log = Readonly<Record<Level, (fields: object, message: string) => void>>;

/** JSON lines by pino; one readable line per event where stderr is a terminal. */
export function createLog(level: string): Log {
  const from = Math.max(0, LEVELS.indexOf(level as Level));
  return process.stderr.isTTY ? createReadableLog(from) : createPino(level);
}

/** Told again after so long. */
const SAME_AGAIN_MS = 600_000;
const PROBLEMS_MAX = 64;

/** Tells of problems that may come again and again: each once, and not the same soon again. */
export function createProblemTeller(tell: (error: Error) => void): (error: Error) => void {
  const toldAt = new Map<string, number>();
  return (error) => {
    const last = toldAt.get(error.message) ?? Number.NEGATIVE_INFINITY;
    if (performance.now() - last < SAME_AGAIN_MS) return;
    if (toldAt.size >= PROBLEMS_MAX) toldAt.clear();
    toldAt.set(error.message, performance.now());
    tell(error);
  };
}

function createPino(level: string): Pino.Logger {
  // Loaded only where it is used.
  const { pino } = createRequire(import.meta.url)('pino') as typeof Pino;
  const stderr = pino.destination({ dest: 2, sync: true });
  // A log that nobody reads any more ends nothing.
  stderr.on('error', () => {});
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stderr,
  );
}

function createReadableLog(from: number): Log {
  const colours = !process.env.NO_COLOR;
  const at = (level: Level) => (fields: object, message: string) => {
    if (LEVELS.indexOf(level) < from) return;
    const time = new Date().toTimeString().slice(0, 8);
    const name = colours ? `\x1b[${COLOURS[level]}m${level}\x1b[m` : level;
    process.stderr.write(`${time} ${name} ${message}${readable(fields)}\n`);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** ` key=value …`; JSON where a value is not a plain word, so that nothing in it reaches the terminal raw. */
function readable(fields: object): string {
  return Object.entries(fields)
    .map(([key, value]) => {
      const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? `${value}`);
      return ` ${key}=${/^[\x21-\x7e]+$/.test(text) ? text : quoted(text)}`;
    })
    .join('');
}

function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
