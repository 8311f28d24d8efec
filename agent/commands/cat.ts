import type { Config } from '../config.ts';
import { AgentError } from '../errors.ts';
import { readLines } from '../journal/read.ts';
import { createFormat, type PrintForm } from '../print/format.ts';
import { Stdout, WRITE_BYTES } from '../print/stdout.ts';
import { segmentsOf } from './segments.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };

export interface CatOptions {
  /** RFC 3339, or a duration back from now */
  readonly since?: string | undefined;
  readonly print?: PrintForm | undefined;
}

/** Prints the journal's records as they are now, oldest first. */
export async function cat(config: Config, options: CatOptions): Promise<number> {
  const from = options.since === undefined ? undefined : sinceNanos(options.since, Date.now());
  segmentsOf(config.journalDir);
  const format = createFormat(options.print);
  const stdout = new Stdout();
  for await (const { line } of readLines(config.journalDir)) {
    if (from !== undefined && timestampOf(line) < from) continue;
    stdout.write(format(line));
    if (stdout.bytes > WRITE_BYTES) await stdout.drained();
    if (stdout.closed) break;
  }
  await stdout.drained();
  return 0;
}

/** Unix nanoseconds from what `--since` was given; throws USAGE. */
export function sinceNanos(given: string, now: number): bigint {
  const [, amount, unit = ''] = /^(\d{1,9})([smhd])$/.exec(given) ?? [];
  const factor = UNITS[unit];
  const ms =
    amount !== undefined && factor !== undefined
      ? now - Number(amount) * factor
      : Date.parse(given);
  if (Number.isNaN(ms))
    throw new AgentError(
      'USAGE',
      `--since is ${JSON.stringify(given)}: must be a time such as 2026-01-31T12:00:00Z, ` +
        'or a duration back from now such as 15m or 1h',
    );
  return BigInt(ms) * 1_000_000n;
}

/** Beyond 2^53: not by way of JSON.parse. A line without one is from the beginning of time. */
function timestampOf(line: string): bigint {
  return BigInt(/"timestamp":(\d+)/.exec(line)?.[1] ?? 0);
}
