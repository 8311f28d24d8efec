import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const LOOK_EVERY_MS = 100;
const QUIET_MS = 1000;
const SETTLE_MS = 120_000;

/** Returns the seconds of user and system time of a process, its threads and all descendants. */
export function cpuSeconds(pid: number): number {
  const stats = processStats();
  let ticks = 0;
  const wanted = [pid];
  for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
    const stat = stats.get(next);
    if (stat === undefined) continue;
    ticks += stat.ticks;
    for (const [child, { ppid }] of stats) if (ppid === next) wanted.push(child);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Maps a pid to its parent and its CPU time, including that of children that were waited for. */
function processStats(): Map<number, { ppid: number; ticks: number }> {
  const stats = new Map<number, { ppid: number; ticks: number }>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readIfThere(`/proc/${name}/stat`) : undefined;
    if (stat === undefined) continue;
    // The state, field 3 of proc_pid_stat(5), follows the name, which may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    stats.set(Number(name), { ppid: Number(fields[1]), ticks });
  }
  return stats;
}

/** Returns the nanoseconds that the threads of a process have run so far; exact, unlike ticks. */
export function runNanoseconds(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((tid) => Number(readIfThere(`/proc/${pid}/task/${tid}/schedstat`)?.split(' ')[0] ?? 0))
    .reduce((sum, ns) => sum + ns, 0);
}

/**
 * Counts how often the threads of a process went to sleep by themselves, and so how often they
 * woke.
 */
export function wakeUps(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((tid) => readIfThere(`/proc/${pid}/task/${tid}/status`) ?? '')
    .map((status) => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0))
    .reduce((sum, count) => sum + count, 0);
}

/** Waits until a process tree has used almost no CPU for a second, and so has finished its work. */
export async function settle(pid: number): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  let cpu = cpuSeconds(pid);
  let since = performance.now();
  while (performance.now() - since < QUIET_MS) {
    await pause(LOOK_EVERY_MS);
    const now = cpuSeconds(pid);
    if (now - cpu > 1.5 / TICKS_PER_SECOND) {
      cpu = now;
      since = performance.now();
    }
    if (performance.now() > deadline) throw new Error(`${pid} is busy for ${SETTLE_MS} ms`);
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
