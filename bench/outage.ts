import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { startCollector } from '../test/export/collector.ts';
import { type Bed, startedAgent } from './bed.ts';

const EVERY_MS = 100;
const WAIT_MS = 60_000;

/** What came once a collector was back. */
export interface Outage {
  /** from its return to its first records */
  readonly backMs: number;
  /** execs meanwhile, and those of them that came, each once */
  readonly made: number;
  readonly came: number;
}

/** A collector that is away for BENCH_OUTAGE_SECONDS while programs go on starting. */
export async function measureOutage(bed: Bed): Promise<Outage> {
  const before = await startCollector();
  const address = `127.0.0.1:${before.port}`;
  const { close } = await startedAgent(bed, '--export-endpoint', `http://${address}`);
  execFile(bed.noop, ['before']);
  await until(() => marks(before.lines, bed.noop).has('before'));
  before.kill();
  let made = 0;
  for (const end = performance.now() + bed.outageSeconds * 1000; performance.now() < end; made++) {
    execFile(bed.noop, [`${made}`]);
    await pause(EVERY_MS);
  }
  const after = await startCollector({ address });
  const back = performance.now();
  await until(() => marks(after.lines, bed.noop).has(`${made - 1}`));
  const came = marks(after.lines, bed.noop).size;
  await close();
  after.kill();
  return { backMs: (after.calls[0]?.at ?? Number.NaN) - back, made, came };
}

/** The arguments of the records of this no-op. */
function marks(lines: readonly string[], noop: string): Set<string> {
  const mine = lines.filter((line) => line.includes(noop));
  return new Set(mine.flatMap((line) => JSON.parse(line).attributes['process.command_args'][1]));
}

async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + WAIT_MS; !isSo() && performance.now() < end; )
    await pause(EVERY_MS);
}
