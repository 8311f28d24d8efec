import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { execLines } from '../../test/support/journal/lines.ts';
import { segmentName } from '../../test/support/journal/segment-name.ts';
import { startCollector } from '../../test/support/otlp/collector.ts';
import { ROOT } from '../../test/support/paths.ts';
import { type Bed, startedAgent } from '../bed/bed.ts';

const EXECS = 200;
const EVERY_MS = 20;
const BATCH = 10_000;

/** The cost of exporting a backlog. */
export interface CatchUp {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Resident bytes in the first fifth, and their maximum. */
  readonly early: number;
  readonly peak: number;
}

/** Starts bench/export/receiver.ts and returns its port. */
export async function startReceiver(
  bed: Bed,
  wanted = 0,
): Promise<{ port: number; close(): Promise<void> }> {
  const file = join(import.meta.dirname, 'receiver.ts');
  const child = spawn(process.execPath, [file, `${wanted}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const close = bed.cleanup.add(() => child.kill('SIGKILL'));
  const [port] = await once(child.stdout, 'data');
  return { port: Number(port), close };
}

/**
 * Measures the milliseconds from a record's timestamp to its arrival at a collector, for each exec.
 */
export async function measureExportLatency(bed: Bed): Promise<number[]> {
  const found: number[] = [];
  const collector = await startCollector({
    answer(lines) {
      const now = Date.now();
      for (const line of lines) {
        const timestamp = line.includes(bed.noop) ? /"timestamp":(\d+)/.exec(line)?.[1] : undefined;
        if (timestamp !== undefined) found.push(now - Number(timestamp) / 1e6);
      }
      return { kind: 'accept' };
    },
  });
  const endpoint = `http://127.0.0.1:${collector.port}`;
  const { close } = await startedAgent(bed, '--export-endpoint', endpoint);
  for (let count = 0; count < EXECS; count++) {
    execFile(bed.noop, ['latency']);
    await pause(EVERY_MS);
  }
  await close();
  collector.kill();
  return found;
}

/** Exports a backlog of so many records as fast as possible. */
export async function measureCatchUp(bed: Bed, records: number): Promise<CatchUp> {
  const dir = join(bed.directory, 'backlog');
  mkdirSync(dir);
  const fd = openSync(join(dir, segmentName(1)), 'w', 0o600);
  let bytes = 0;
  for (let from = 0; from < records; from += BATCH)
    bytes += writeSync(fd, `${execLines(from, Math.min(records, from + BATCH)).join('\n')}\n`);
  closeSync(fd);
  const receiver = await startReceiver(bed);
  const file = join(ROOT, 'test/support/otlp/sender.ts');
  const endpoint = `http://127.0.0.1:${receiver.port}`;
  // The flags are those of bin/vcml-agent, because memory is measured.
  const args = ['--max-semi-space-size=2', file, dir, endpoint, '1', `${bytes}`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  await receiver.close();
  rmSync(dir, { recursive: true });
  return { records, ...JSON.parse(stdout) };
}
