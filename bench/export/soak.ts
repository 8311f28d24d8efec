import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { program } from '../../test/support/agent.ts';
import { unified } from '../../test/support/container-cgroup.ts';
import { type Bed, startedAgent } from '../bed/bed.ts';
import { countLines, lossesReported, segments } from '../bed/journal.ts';
import { anonymousBytes } from '../bed/memory.ts';
import { startReceiver } from './export.ts';

const EXECS_PER_SECOND = 1000;
const CONTAINER_SECONDS = 1;
const RESTART_EVERY_SECONDS = 30;
const RESTART_MS = 3000;
const LOOKS = 60;
/** Others may execute on the machine all the time, so an agent's idleness is not waited for. */
const CATCH_UP_MS = 10_000;
const MIB = 2 ** 20;

/** The own memory (RssAnon) of an agent at a moment of a soak. */
export interface Look {
  readonly seconds: number;
  readonly bytes: number;
}

/** What an agent recorded while containers came and went and its collector was restarted. */
export interface Soak {
  readonly looks: readonly Look[];
  readonly seconds: number;
  readonly containers: number;
  readonly restarts: number;
  readonly segments: number;
  /** the execs, those with a record, and the losses that the journal reports */
  readonly execs: number;
  readonly records: number;
  readonly losses: number;
  /** Whether the collector had everything at the end. */
  readonly isExported: boolean;
}

/**
 * Executes the no-op 1,000 times a second for BENCH_SOAK_SECONDS, in containers that live for a
 * second, while segments rotate and the collector is restarted again and again.
 */
export async function measureSoak(bed: Bed, report: (text: string) => void): Promise<Soak> {
  let receiver = await startReceiver(bed);
  const { port } = receiver;
  const { agent, close } = await startedAgent(
    bed,
    `--export-endpoint=http://127.0.0.1:${port}`,
    '--segment-max-bytes=4MiB',
    '--journal-max-bytes=64GiB',
  );
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  const looks: Look[] = [];
  let [containers, execs, restarts] = [0, 0, 0];
  while (elapsed() < bed.soakSeconds) {
    execs += await liveContainer(bed);
    containers += 1;
    if (elapsed() >= (looks.length * bed.soakSeconds) / LOOKS) {
      looks.push({ seconds: elapsed(), bytes: anonymousBytes(agent.pid) });
      const mib = ((looks.at(-1)?.bytes ?? 0) / MIB).toFixed(1);
      report(`soak: ${elapsed().toFixed(0)} s, ${execs} execs, ${mib} MiB`);
    }
    if (elapsed() < (restarts + 1) * RESTART_EVERY_SECONDS) continue;
    await receiver.close();
    await Promise.all([pause(RESTART_MS), liveContainer(bed).then((more) => (execs += more))]);
    receiver = await startReceiver(bed, port);
    containers += 1;
    restarts += 1;
  }
  const seconds = elapsed();
  await pause(CATCH_UP_MS);
  await agent.stop();
  const { journalDir, stderr } = agent;
  const soak = {
    looks,
    seconds,
    containers,
    restarts,
    segments: segments(journalDir).length,
    execs,
    records: await countLines(journalDir, `"object":"${bed.noop}"`),
    losses: await lossesReported(journalDir),
    isExported: !stderr.includes('export.unfinished'),
  };
  await close();
  await receiver.close();
  return soak;
}

/** Runs a container's second, as the kubelet's cgroup driver and containerd name it; returns its execs. */
async function liveContainer({ noop, cleanup }: Bed): Promise<number> {
  const uid = randomUUID().replaceAll('-', '_');
  const pod = `${unified()}/kubepods-besteffort-pod${uid}.slice`;
  const folder = `${pod}/cri-containerd-${randomBytes(32).toString('hex')}.scope`;
  mkdirSync(folder, { recursive: true });
  const remove = cleanup.add(() => {
    for (const made of [folder, dirname(folder)]) rmdirSync(made);
  });
  const script = 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"';
  const storm = [program('storm'), '1', `${CONTAINER_SECONDS}`, noop];
  const { stdout } = await promisify(execFile)('bash', ['-c', script, 'bash', folder, ...storm], {
    env: { ...process.env, STORM_RATE: `${EXECS_PER_SECOND}` },
  });
  await remove();
  return Number(stdout);
}

/** Returns how much the memory grows in an hour, by the line that fits best, in MiB. */
export function growthPerHour(looks: readonly Look[]): number {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const at = mean(looks.map(({ seconds }) => seconds));
  const bytes = mean(looks.map((look) => look.bytes));
  const covariance = mean(looks.map((look) => (look.seconds - at) * (look.bytes - bytes)));
  const variance = mean(looks.map(({ seconds }) => (seconds - at) ** 2));
  return ((covariance / variance) * 3600) / MIB;
}
