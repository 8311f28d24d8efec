import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { unifiedHierarchy } from '../../test/e2e/cgroups.ts';
import { AGENT_BIN } from '../../test/support/paths.ts';
import type { Bed } from '../bed/bed.ts';
import type { Figure } from '../budgets.ts';
import { spreadOf } from '../statistics.ts';
import { spreadText } from '../table.ts';
import { inTurns } from '../turns.ts';
import { stormBeside, type WatchedStorm } from './storms.ts';
import { agentThatSays } from './tools.ts';

/** All programs get this environment of 1.6 KiB, whether it is read or not. */
const ENVIRONMENT = {
  STORM_ENVIRONMENT: 'x'.repeat(1500),
  CI_JOB: 'job 7',
  TRACEPARENT: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
};
const READS_ALL = ['--environment', 'CI_JOB', '--trace-context', 'environment'];

/** Compares an agent that reads environments with one that reads none: at entries, and of every exec. */
export async function measureEnvironment(bed: Bed): Promise<Figure[]> {
  const unit = join(unifiedHierarchy(), `vcml-bench-${process.pid}.service`);
  mkdirSync(unit);
  const close = bed.cleanup.add(() => rmdirSync(unit));
  const beside = async (said: string, args: readonly string[] = [], env = {}) => {
    const tool = await agentThatSays(bed, said, AGENT_BIN, args);
    return stormBeside(bed, tool, [], { ...ENVIRONMENT, ...env });
  };
  const rounds = await inTurns(bed.rounds, {
    plain: () => beside(''),
    entries: () => beside('"vcml.authority.type":"unit"', [], { STORM_CGROUP: unit }),
    all: () => beside('"vcml.trace.trace_id"', READS_ALL),
  });
  await close();
  const micros = spreadOf(rounds.map(({ plain }) => cpuOf(plain)));
  const storms = rounds.flatMap((round) => Object.values(round));
  return [
    {
      what: 'CPU per exec, no environment read',
      value: micros.median,
      unit: 'µs',
      more: spreadText(micros),
    },
    timesPlain(
      'every exec an entry',
      rounds.map(({ plain, entries: own }) => ({ plain, own })),
    ),
    timesPlain(
      'with `environment` and `traceContext`',
      rounds.map(({ plain, all: own }) => ({ plain, own })),
    ),
    {
      what: 'lost in these storms',
      value: storms.reduce((sum, { reported }) => sum + reported, 0),
      unit: 'records',
      digits: 0,
      budget: 0,
    },
  ];
}

/** A storm, and one of the same round without what the first one has. */
interface Pair {
  readonly own: WatchedStorm;
  readonly plain: WatchedStorm;
}

function timesPlain(what: string, pairs: readonly Pair[]): Figure {
  const times = spreadOf(pairs.map(({ own, plain }) => cpuOf(own) / cpuOf(plain)));
  const rate = spreadOf(pairs.map(({ own, plain }) => own.execsPerSecond / plain.execsPerSecond));
  // Above half of the ring, an environment is left out, and the record says so.
  const without = pairs.reduce((sum, { own }) => sum + (own.lost ?? 0), 0);
  return {
    what: `CPU per exec, ${what}, × with neither`,
    value: times.median,
    unit: '×',
    digits: 2,
    more: `${spreadText(times, 2)}; the storm’s rate × ${spreadText(rate, 2)}; ${without} execs without it`,
  };
}

function cpuOf({ cpuMicrosPerExec = Number.NaN }: WatchedStorm): number {
  return cpuMicrosPerExec;
}
