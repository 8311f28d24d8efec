import { createRequire } from 'node:module';
import type * as Pino from 'pino';
import { LOG_EVENTS, type Log, type LogEvent, type LogLevel } from '../log-events.ts';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const COLOURS: Record<LogLevel, number> = { debug: 2, info: 36, warn: 33, error: 31 };

type Write = (level: LogLevel, fields: object, sentence: string) => void;

/**
 * Makes the agent's log on stderr, from a level on: JSON lines by pino, or one readable line for each
 * event if stderr is a terminal.
 */
export function createLog(from: string): Log {
  const write = process.stderr.isTTY ? createReadableWriter(from) : createPinoWriter(from);
  return (code, fields) => {
    const { level, sentence, remedy }: LogEvent = LOG_EVENTS[code];
    write(level, { event: code, ...fields, ...(remedy && { remedy }) }, sentence);
  };
}

/** How long the same problem is not reported again. */
const REPEAT_MS = 600_000;
const PROBLEMS_MAX = 64;

/** Wraps a report of problems: a problem with the same message is reported only once in ten minutes. */
export function suppressRepeats(report: (error: Error) => void): (error: Error) => void {
  const reportedAt = new Map<string, number>();
  return (error) => {
    const last = reportedAt.get(error.message) ?? Number.NEGATIVE_INFINITY;
    if (performance.now() - last < REPEAT_MS) return;
    if (reportedAt.size >= PROBLEMS_MAX) reportedAt.clear();
    reportedAt.set(error.message, performance.now());
    report(error);
  };
}

function createPinoWriter(level: string): Write {
  // pino is loaded only if it is used.
  const { pino } = createRequire(import.meta.url)('pino') as typeof Pino;
  const stderr = pino.destination({ dest: 2, sync: true });
  // A closed stderr does not end the agent.
  stderr.on('error', () => {});
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stderr,
  );
  return (at, fields, sentence) => logger[at](fields, sentence);
}

function createReadableWriter(from: string): Write {
  const colours = !process.env.NO_COLOR;
  return (level, fields, sentence) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(from as LogLevel)) return;
    const time = new Date().toTimeString().slice(0, 8);
    const name = colours ? `\x1b[${COLOURS[level]}m${level}\x1b[m` : level;
    process.stderr.write(`${time} ${name} ${sentence}${readable(fields)}\n`);
  };
}

/** Formats fields as ` key=value …`; a value that is not a plain word is JSON, so that it cannot control the terminal. */
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
