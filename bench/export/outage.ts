import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { startCollector } from '../../test/support/otlp/collector.ts';
import { until } from '../../test/support/until.ts';
import { type Bed, startedAgent } from '../bed/bed.ts';

const EVERY_MS = 100;
const PATIENCE = { timeoutMs: 60_000, intervalMs: EVERY_MS };

/** What arrived after a collector returned. */
export interface Outage {
  /** The time from its return to its first records. */
  readonly backMs: number;
  /** The execs during the outage, and those that arrived, each counted once. */
  readonly made: number;
  readonly came: number;
}

/** Stops a collector for BENCH_OUTAGE_SECONDS while programs continue to start. */
export async function measureOutage(bed: Bed): Promise<Outage> {
  const before = await startCollector();
  const address = `127.0.0.1:${before.port}`;
  const { close } = await startedAgent(bed, '--export-endpoint', `http://${address}`);
  execFile(bed.noop, ['before']);
  await until('the first record', () => marks(before.lines, bed.noop).has('before'), PATIENCE);
  before.kill();
  let made = 0;
  for (const end = performance.now() + bed.outageSeconds * 1000; performance.now() < end; made++) {
    execFile(bed.noop, [`${made}`]);
    await pause(EVERY_MS);
  }
  const after = await startCollector({ address });
  const back = performance.now();
  const hasLast = () => marks(after.lines, bed.noop).has(`${made - 1}`);
  // Records that have not arrived by then are missing in the figures.
  await until('the last record', hasLast, PATIENCE).catch(() => {});
  const came = marks(after.lines, bed.noop).size;
  await close();
  after.kill();
  return { backMs: (after.calls[0]?.at ?? Number.NaN) - back, made, came };
}

/** Returns the arguments of the records of this no-op. */
function marks(lines: readonly string[], noop: string): Set<string> {
  const mine = lines.filter((line) => line.includes(noop));
  return new Set(mine.flatMap((line) => JSON.parse(line).attributes['process.command_args'][1]));
}
